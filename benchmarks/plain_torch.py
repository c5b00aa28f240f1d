"""A conditional GAN of an `Architecture` and its training step, as one would write them in PyTorch alone."""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from cgan_utils import backend
from cgan_utils.models.architectures import EMBEDDING, LATENT, architecture

SLOPE = 0.2


def label_plane(classes, side):
    return nn.Sequential(
        nn.Embedding(classes, EMBEDDING), nn.Linear(EMBEDDING, side * side), nn.Unflatten(1, (1, side, side))
    )


class Generator(nn.Module):
    def __init__(self, row, classes, shape):
        super().__init__()
        side, before, layers = shape[0] // 4, row.base + 1, []
        self.label = label_plane(classes, side)
        self.start = nn.Sequential(nn.Linear(LATENT, row.base * side * side), nn.Unflatten(1, (row.base, side, side)))
        for filters, kernel, stride in row.up:
            layers.append(_deconv(before, filters, kernel, stride))
            layers += [nn.BatchNorm2d(filters)] if row.generator_momentum else []
            layers.append(nn.LeakyReLU(SLOPE))
            before = filters
        if row.output == "conv":
            layers.append(nn.Conv2d(before, shape[2], row.output_kernel, padding="same"))
        else:
            layers.append(_deconv(before, shape[2], row.output_kernel, 1))
        self.layers = nn.Sequential(*layers, nn.Tanh())

    def forward(self, noise, label):
        return self.layers(torch.cat([self.start(noise), self.label(label)], 1))


class Discriminator(nn.Module):
    def __init__(self, row, classes, shape):
        super().__init__()
        before, side, layers = shape[2] + 1, shape[0], []
        self.label = label_plane(classes, side)
        for i, (filters, kernel, stride) in enumerate(row.down, start=1):
            layers.append(nn.Conv2d(before, filters, kernel, stride, padding=kernel // 2))
            inner = 1 < i < len(row.down)
            layers += [nn.BatchNorm2d(filters)] if inner and row.discriminator_momentum else []
            layers.append(nn.LeakyReLU(SLOPE))
            before, side = filters, -(-side // stride)
        layers += [nn.Flatten(), nn.Dropout(row.output_dropout), nn.Linear(before * side * side, 1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, image, label):
        return self.layers(torch.cat([image, self.label(label)], 1))


def _deconv(before, filters, kernel, stride):
    padding = (kernel - 1) // 2
    return nn.ConvTranspose2d(before, filters, kernel, stride, padding, output_padding=stride + 2 * padding - kernel)


def trainer(settings, data):
    """(device, precision, batch, function that trains for some steps) of a simultaneous game with minimax loss."""
    row, device = architecture(settings.architecture), "cuda" if torch.cuda.is_available() else "cpu"
    players = [kind(row, data.classes, data.shape) for kind in (Generator, Discriminator)]
    generator, discriminator = (net.to(device, memory_format=torch.channels_last) for net in players)
    optimizers = [torch.optim.RMSprop(net.parameters(), settings.learning_rate) for net in (generator, discriminator)]
    images = torch.as_tensor(data.x_train.transpose(0, 3, 1, 2).copy()).to(device, memory_format=torch.channels_last)
    labels = torch.as_tensor(data.y_train).long().to(device)
    policy, size = backend.precision(), settings.batch_size

    def train(steps):
        for _ in range(steps):
            chosen = torch.randint(len(images), (size,), device=device)
            real, label = images[chosen].float() / 127.5 - 1, labels[chosen]
            with torch.autocast(device, torch.bfloat16, enabled=policy == "mixed_bfloat16"):
                fakes = generator(torch.randn(size, LATENT, device=device), label)
                on_real, on_fakes = discriminator(real, label).float(), discriminator(fakes, label).float()
                ones, zeros = torch.ones_like(on_real), torch.zeros_like(on_real)
                d_loss = cross_entropy(on_real, ones) + cross_entropy(on_fakes, zeros)
                g_loss = cross_entropy(on_fakes, ones)
            nets, losses = (generator, discriminator), (g_loss, d_loss)
            pairs = [(loss, list(net.parameters())) for loss, net in zip(losses, nets, strict=True)]
            slopes = [torch.autograd.grad(loss, weights, retain_graph=True) for loss, weights in pairs]
            for (_, weights), gradients, optimizer in zip(pairs, slopes, optimizers, strict=True):
                for weight, gradient in zip(weights, gradients, strict=True):
                    weight.grad = gradient
                optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()
        return steps

    return backend.machine(), policy, size, train
