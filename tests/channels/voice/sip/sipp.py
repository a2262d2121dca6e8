"""Telephones that do exactly what a test wants: SIPp, with scenarios written as a few words each."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.ports import free_port, wait_for_tcp, wait_for_udp

_HEAD = """
      [last_Via:]
      [last_From:]
      [last_To:]{tag}
      [last_Call-ID:]
      [last_CSeq:]
      Contact: <sip:[local_ip]:[local_port];Transport=[transport]>"""
_SDP = """
      Content-Type: application/sdp
      Content-Length: [len]

      v=0
      o=phone 53655765 {version} IN IP4 [local_ip]
      s=-
      c=IN IP4 [media_ip]
      t=0 0
      m=audio {media} RTP/AVP 8 0
      a=rtpmap:8 PCMA/8000
      a=rtpmap:0 PCMU/8000
{more}"""
_EMPTY = "\n      Content-Length: 0\n"
_REASONS = {
    100: "Trying",
    180: "Ringing",
    182: "Queued",
    183: "Session Progress",
    200: "OK",
    302: "Moved Temporarily",
    401: "Unauthorized",
    403: "Forbidden",
    407: "Proxy Authentication Required",
    480: "Temporarily Unavailable",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    503: "Service Unavailable",
    603: "Decline",
}
#: Remembers who is who, for requests of the telephone itself.
_WHO = """
    <action>
      <ereg regexp=".*" search_in="hdr" header="From:" assign_to="controller"/>
      <ereg regexp=".*" search_in="hdr" header="To:" assign_to="self"/>
      <ereg regexp="sip:[^>]*" search_in="hdr" header="Contact:" assign_to="contact"/>
      {more}
    </action>"""


def recv(method: str, *, holds: str = "", optional: bool = False, next_label: str = "") -> str:
    """Wait for a request; ``holds`` is what it must contain."""
    check = ""
    if holds:
        check = f'<ereg regexp="{holds}" search_in="msg" check_it="true" assign_to="held"/>'
    action = _WHO.format(more=check) if method == "INVITE" else f"<action>{check}</action>" if check else ""
    extra = ' optional="true"' if optional else ""
    extra += f' next="{next_label}"' if next_label else ""
    return f'  <recv request="{method}"{extra} crlf="true">{action}\n  </recv>'


def recv_response(status: int, *, holds: str = "") -> str:
    """Wait for an answer to a request of the telephone's own."""
    check = ""
    if holds:
        check = f'<action><ereg regexp="{holds}" search_in="msg" check_it="true" assign_to="held"/></action>'
    trying = '  <recv response="100" optional="true"></recv>\n'
    return f'{trying}  <recv response="{status}" crlf="true">{check}</recv>'


def send(
    status: int, *, sdp: bool = False, media: str = "[media_port]", version: int = 1, more: str = "",
    headers: str = "", retrans: int = 0, tag: bool = True, lost: int = 0,
) -> str:  # fmt: skip
    """Answer the last request."""
    head = _HEAD.format(tag=";tag=[pid]tag[call_number]" if tag else "")
    added = "".join(f"\n      {line}" for line in headers.splitlines())
    body = _SDP.format(media=media, version=version, more=more) if sdp else _EMPTY
    attributes = f' retrans="{retrans}"' if retrans else ""
    attributes += f' lost="{lost}"' if lost else ""
    text = f"\n      SIP/2.0 {status} {_REASONS[status]}{head}{added}{body}\n    "
    return f"  <send{attributes}><![CDATA[{text}]]></send>"


def answer(**changes: object) -> str:
    """The 200 to an INVITE, repeated until the ACK comes."""
    return send(200, sdp=True, retrans=500, **changes)  # type: ignore[arg-type]


def ask(method: str, *, sdp: bool = False, cseq: int = 1, media: str = "[media_port]", more: str = "") -> str:
    """A request of the telephone's own inside the dialog."""
    body = _SDP.format(media=media, version=cseq + 10, more=more) if sdp else _EMPTY
    retrans = "" if method == "ACK" else ' retrans="500"'
    return f"""  <send{retrans}><![CDATA[
      {method} [$contact] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From:[$self];tag=[pid]tag[call_number]
      To:[$controller]
      Call-ID: [call_id]
      CSeq: {cseq} {method}
      Max-Forwards: 70
      Contact: <sip:[local_ip]:[local_port];Transport=[transport]>{body}
    ]]></send>"""


def verified(username: str, password: str, *, holds: str = "") -> str:
    """Wait for an INVITE whose digest SIPp itself finds right; says 403 to any other."""
    held = f'<ereg regexp="{holds}" search_in="msg" check_it="true" assign_to="held"/>' if holds else ""
    check = f'<verifyauth assign_to="right" username="{username}" password="{password}"/>{held}'
    return "\n".join(
        [
            f'  <recv request="INVITE" crlf="true">{_WHO.format(more=check)}\n  </recv>',
            '  <nop hide="true" test="right" next="welcome"/>',
            send(403, retrans=500),
            recv("ACK"),
            '  <nop><action><error message="the digest is wrong"/></action></nop>',
            '  <label id="welcome"/>',
        ]
    )


def challenge(status: int, *, nonce: str = "abc", more: str = ', qop="auth"') -> str:
    """Ask for credentials."""
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    header = f'{name}: Digest realm="pbx.example.com", nonce="{nonce}", algorithm=MD5{more}'
    return "\n".join([recv("INVITE"), send(status, headers=header, retrans=500), recv("ACK")])


def pause(milliseconds: int) -> str:
    """Let people take their time."""
    return f'  <pause milliseconds="{milliseconds}"/>'


def hung_up() -> str:
    """The other side says goodbye."""
    return "\n".join([recv("BYE"), send(200, tag=False)])


def hangs_up(cseq: int = 1) -> str:
    """This telephone says goodbye."""
    return "\n".join([ask("BYE", cseq=cseq), recv_response(200)])


def ringing(milliseconds: int = 0) -> str:
    """Rings, for some time."""
    return "\n".join([recv("INVITE"), send(180), *([pause(milliseconds)] if milliseconds else [])])


def cancelled() -> str:
    """The caller gives up while it rings: 200 to the CANCEL, 487 to the INVITE."""
    head = _HEAD.replace("[last_CSeq:]", "CSeq: 1 INVITE").format(tag=";tag=[pid]tag[call_number]")
    refusal = f"\n      SIP/2.0 487 Request Terminated{head}{_EMPTY}\n    "
    refused = f'  <send retrans="500"><![CDATA[{refusal}]]></send>'
    return "\n".join([recv("CANCEL"), send(200), refused, recv("ACK")])


def lingers() -> str:
    """Stays to repeat its last answer, should that have been lost."""
    return '  <timewait milliseconds="2500"/>'


def answers_each_invite(label: str) -> str:
    """The first 200, again for every repeated INVITE.

    SIPp itself recognises a repeat only where it has said one thing since, and it has said 180 and 200.
    """
    again = f'  <recv request="INVITE" optional="true" next="{label}"></recv>'
    return "\n".join([f'  <label id="{label}"/>', answer(), again])


#: Answers after a moment, is told where the other one is, talks, and is hung up.
OWNER = (ringing(), answer(), recv("ACK"), recv("INVITE", holds="m=audio"), answer(tag=False), recv("ACK"))
WORKER = (ringing(), answer(), recv("ACK", holds="m=audio"))


@dataclass
class Telephone:
    """One running SIPp."""

    name: str
    port: int
    process: subprocess.Popen[bytes]
    folder: Path
    transport: str

    @property
    def address(self) -> str:
        transport = ";transport=TCP" if self.transport == "tcp" else ""
        return f"sip:{self.name}@127.0.0.1:{self.port}{transport}"

    def has_seen(self, text: str) -> bool:
        """Whether a text was in any message so far."""
        return text in (self.folder / "messages.log").read_text(errors="replace")

    def is_content(self, seconds: float = 20.0) -> bool:
        """Wait for its end: whether everything went by its scenario. Says what did not otherwise."""
        if self.process.wait(seconds) == 0:
            return True
        for path in sorted(self.folder.glob("*.log")):
            print(path.name, path.read_text(errors="replace")[:4000])  # noqa: T201
        return False


@contextmanager
def telephone(
    name: str, steps: Sequence[str], folder: Path, *, calls: int = 1, transport: str = "udp",
    options: Sequence[str] = (),
) -> Iterator[Telephone]:  # fmt: skip
    """A telephone that follows its steps, once per call, and then ends."""
    folder.mkdir(parents=True, exist_ok=True)
    scenario = folder / "scenario.xml"
    text = "\n".join(steps)
    names = [
        name_of for name_of in ("controller", "self", "contact", "held", "right") if f'"{name_of}"' in text
    ]
    # SIPp refuses variables that nothing reads.
    remembered = f'<Reference variables="{",".join(names)}"/>' if names else ""
    scenario.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n{text}\n{remembered}</scenario>'
    )
    # One block: SIP, the control port, and four of media. Asked for one by one, the blocks may overlap.
    port = free_port(together=8)
    command = [
        "sipp", "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(port), "-mp", str(port + 4),
        "-m", str(calls), "-t", "t1" if transport == "tcp" else "u1", "-nostdin", "-skip_rlimit",
        "-cp", str(port + 2), "-timeout", "60s", "-timeout_error",
        "-trace_err", "-error_file", str(folder / "errors.log"),
        "-trace_msg", "-message_file", str(folder / "messages.log"), *options,
    ]  # fmt: skip
    with (folder / "screen").open("wb") as screen:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=screen, stderr=screen, cwd=folder
        )
    try:
        (wait_for_tcp if transport == "tcp" else wait_for_udp)(port, process)
        yield Telephone(name, port, process, folder, transport)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
