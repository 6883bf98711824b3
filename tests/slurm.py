"""A real SLURM cluster of one node for tests: its three daemons, on loopback, with all their files in one folder.

No systemd and no control groups, so that it runs in a container, too. What SLURM's programs need to find it is the
variable `SLURM_CONF`.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.component import missing
from tests.servers import free_port

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue")
SECONDS = 30.0
CONFIGURATION = """\
ClusterName=thaw
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
KillWait=10
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
NodeName=node1 NodeHostname={host} NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
PartitionName=lab Nodes=node1 Default=YES MaxTime=INFINITE State=UP
"""


def find_slurm() -> None:
    """The test is skipped where SLURM is not installed, and fails in CI."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    if absent:
        missing(f"SLURM is missing: {', '.join(absent)} (Debian: the packages slurm-wlm and munge).")


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


@dataclass
class Slurm:
    """A cluster of one node with room for eight processes."""

    folder: Path
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find this cluster."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": _path()}

    def call(self, *command: str) -> str:
        """Run one of SLURM's programs and give what it printed."""
        environment = os.environ | self.environment
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout

    def states(self, job: str) -> list[str]:
        """The state of each element of an array, such as RUNNING, in order."""
        return self.call(
            "squeue", "--noheader", "--array", "--states=all", "--sort=i", "--format=%T", "-j", job
        ).split()

    def start(self) -> None:
        """Start the daemons and wait until the node takes jobs."""
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(
                host=socket.gethostname(),
                user=pwd.getpwuid(os.geteuid()).pw_name,
                folder=self.folder,
                controller_port=free_port(),
                node_port=free_port(),
            )
        )
        files = [
            f"--{name}-file={self.folder / f'munge.{name}'}" for name in ("key", "log", "pid", "seed")
        ]  # --force: the folders of a test may be open to others
        self._spawn("munged", "--foreground", "--force", f"--socket={self.folder / 'munge.socket'}", *files)
        _wait_for(lambda: (self.folder / "munge.socket").exists(), "munged")
        self._spawn("slurmctld", "-D")
        self._spawn("slurmd", "-D", "-N", "node1")
        _wait_for(lambda: self._state_of_node() == "idle", "the node")

    def _state_of_node(self) -> str:
        environment = os.environ | self.environment
        asked = subprocess.run(
            ["sinfo", "-h", "-o", "%t"], env=environment, capture_output=True, text=True, check=False
        )
        return asked.stdout.strip()

    def _spawn(self, *command: str) -> None:
        with (self.folder / "daemons.log").open("ab") as log:
            environment = os.environ | self.environment
            self.daemons.append(
                subprocess.Popen(command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            )

    def stop(self) -> None:
        """End all jobs, then the daemons."""
        environment = os.environ | self.environment
        subprocess.run(
            ["scancel", "--full", "--signal=KILL", "--user", pwd.getpwuid(os.geteuid()).pw_name],
            env=environment,
            check=False,
        )
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in self.daemons:
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(5)
            daemon.kill()
            daemon.wait()


def _wait_for(condition: object, what: str) -> None:
    assert callable(condition)
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, f"{what} of SLURM did not come up"
        time.sleep(0.1)


@contextlib.contextmanager
def slurm(folder: Path) -> Iterator[Slurm]:
    """A SLURM cluster that is gone when the block ends."""
    find_slurm()
    cluster = Slurm(folder / "slurm")
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
