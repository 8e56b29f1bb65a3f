"""A YAML language server to ask as an editor does, over its standard input and output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

SERVER = "yaml-language-server@1.18.0"
SECONDS_TO_INSTALL, SECONDS_TO_ANSWER = 60, 15
SETTINGS = {
    "yaml": {
        "validate": True,
        "hover": True,
        "completion": True,
        "schemaStore": {"enable": False},
    }
}


class NoServer(Exception):
    """There is no server here; the text says why."""


def installed() -> Path:
    """The server's program, installed once into a cache. Raises NoServer."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise NoServer("there is no node or no npm here")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "policy-engine-tests" / SERVER
    program = folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    if not program.is_file():
        _install(folder)
    return program


def _install(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        command = ["npm", "install", "--prefix", made, "--no-audit", "--no-fund", SERVER]
        command.append("--ignore-scripts")
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=SECONDS_TO_INSTALL)
        except (OSError, subprocess.SubprocessError) as failure:
            raise NoServer(f"npm cannot install {SERVER}: {type(failure).__name__}") from None
        try:
            Path(made).rename(folder)
        except OSError:  # another process was first
            return
        Path(made).mkdir()


class LanguageServer:
    """A server that runs until it is closed."""

    def __init__(self, program: Path, root: Path) -> None:
        self.process = subprocess.Popen(
            ["node", str(program), "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=root,
        )
        self.answers: dict[int, Any] = {}
        self.diagnostics: dict[str, list[Any]] = {}
        self.messages: Queue[dict[str, Any] | None] = Queue()
        self.reader = Thread(target=self._read, daemon=True)
        self.reader.start()
        self.asked = 0
        capabilities = {
            "workspace": {"configuration": True, "didChangeConfiguration": {}},
            "textDocument": {
                "completion": {"completionItem": {"snippetSupport": True}},
                "hover": {"contentFormat": ["plaintext", "markdown"]},
                "publishDiagnostics": {},
            },
        }
        self.ask(
            "initialize",
            processId=os.getpid(),
            rootUri=root.as_uri(),
            capabilities=capabilities,
            workspaceFolders=[{"uri": root.as_uri(), "name": "root"}],
        )
        self.tell("initialized")
        self.tell("workspace/didChangeConfiguration", settings=SETTINGS)

    def close(self) -> None:
        """End the server."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()

    # --- what an editor does ---------------------------------------------------------------------

    def opened(self, path: Path, text: str) -> list[Any]:
        """What is found in a file that holds a text."""
        uri = path.as_uri()
        self.diagnostics.pop(uri, None)
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)
        while uri not in self.diagnostics:
            self._take()
        return self.diagnostics[uri]

    def closed(self, path: Path) -> None:
        """Close a file."""
        self.tell("textDocument/didClose", textDocument={"uri": path.as_uri()})

    def hover(self, path: Path, line: int, column: int) -> str:
        """What is shown over a place; both count from 0."""
        answer = self.ask("textDocument/hover", **_at(path, line, column))
        contents = answer["contents"] if answer else ""
        return contents["value"] if isinstance(contents, dict) else str(contents)

    def completions(self, path: Path, line: int, column: int) -> dict[str, Any]:
        """What is offered at a place, by label."""
        answer = self.ask("textDocument/completion", **_at(path, line, column))
        items = answer["items"] if isinstance(answer, dict) else answer
        return {item["label"]: item for item in items}

    # --- messages --------------------------------------------------------------------------------

    def ask(self, method: str, **params: Any) -> Any:
        """The answer to a question."""
        self.asked += 1
        self._send({"id": self.asked, "method": method, "params": params})
        while self.asked not in self.answers:
            self._take()
        return self.answers.pop(self.asked)

    def tell(self, method: str, **params: Any) -> None:
        """Say something that has no answer."""
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        content = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        self.process.stdin.flush()

    def _take(self) -> None:
        """Take the next message; the server's own questions are answered."""
        try:
            message = self.messages.get(timeout=SECONDS_TO_ANSWER)
        except Empty:
            raise AssertionError("the language server does not answer") from None
        assert message is not None, "the language server has ended"
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            self._send({"id": message["id"], "result": _answer(message)})
        elif "id" in message:
            assert "error" not in message, message
            self.answers[message["id"]] = message["result"]

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := stream.readline():
            if header.lower().startswith(b"content-length:"):
                length = int(header.split(b":")[1])
                while stream.readline().strip():
                    pass
                self.messages.put(json.loads(stream.read(length)))
        self.messages.put(None)


def _at(path: Path, line: int, column: int) -> dict[str, Any]:
    return {
        "textDocument": {"uri": path.as_uri()},
        "position": {"line": line, "character": column},
    }


def _answer(message: dict[str, Any]) -> Any:
    """What an editor answers: its settings, and nothing else."""
    if message["method"] != "workspace/configuration":
        return None
    return [SETTINGS.get(item.get("section", "")) for item in message["params"]["items"]]
