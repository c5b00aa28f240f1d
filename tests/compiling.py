"""Programs for JAX that tests compile."""

# What XLA compiles in tests runs only shortly, so most of its work on a program is left out: it takes a third of the
# time then.
QUICK_XLA = (
    "--xla_backend_optimization_level=0",
    "--xla_cpu_use_fusion_emitters=false",
    "--xla_llvm_disable_expensive_passes=true",
    "--xla_cpu_parallel_codegen_split_count=1",
)


def quickly_compiled(cache, *flags):
    """Environment of processes on JAX: they compile quickly, what they share only once, and keep it in a folder.

    flags: more of them for XLA, which stops at one that it doesn't know.
    """
    return {
        "XLA_FLAGS": " ".join([*QUICK_XLA, *flags]),
        "JAX_COMPILATION_CACHE_DIR": str(cache),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
    }
