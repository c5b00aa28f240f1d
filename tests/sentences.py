"""What is asked of a message for a person."""


def is_one_sentence(error):
    """Whether the message of what `pytest.raises` caught is one line that ends as a sentence does."""
    text = str(error.value)
    return "\n" not in text and text.endswith((".", "?"))
