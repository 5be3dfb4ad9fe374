"""Starting programs, which never outlive this one, and the kernel's figures about them."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path


def clean_environment():
    """This process's environment, without settings of the service and of PostgreSQL's clients."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("CONTENT_", "PG"))
    }


def run(arguments, **options):
    """Runs a program and returns its standard output as text. Raises RuntimeError if it fails."""
    finished = subprocess.run(
        [str(argument) for argument in arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    if finished.returncode != 0:
        raise RuntimeError(
            f"{' '.join(map(str, arguments))}: exit status {finished.returncode}\n"
            f"{finished.stdout[-2000:]}{finished.stderr[-2000:]}"
        )
    return finished.stdout


@contextlib.contextmanager
def running(arguments, log, user=None, stop_signal="TERM"):
    """Starts a program, yields its process, and stops it at the end.

    The kernel kills it if this process dies. `log`: file for its output. `user`: (uid, gid) to run
    it as.
    """
    setpriv = ["setpriv", "--pdeathsig", "KILL"]
    if user is not None:
        setpriv += ["--reuid", user[0], "--regid", user[1], "--clear-groups"]
    command = [str(argument) for argument in [*setpriv, "--", *arguments]]
    with open(log, "ab") as output:
        process = subprocess.Popen(
            command,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        stop(process, stop_signal)


def stop(process, signal_name):
    process.send_signal(getattr(signal, f"SIG{signal_name}"))
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_port_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition, process, log, what, seconds=60):
    """Waits until `condition()` is true. Raises RuntimeError with the end of the log if the process
    ends first, or after that many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not start:\n{Path(log).read_text()[-2000:]}")
        time.sleep(0.02)


def cpu_seconds(pid):
    """CPU time, user and system, used by all threads of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_seconds_of_children():
    """CPU time used by those children of this process that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def resident_bytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} is gone")
