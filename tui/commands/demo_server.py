"""``turnkey demo-server``: the demo provider alone, for scripts and for other programs."""

from __future__ import annotations

import sys

import click

from tui.commands.options import no_color_option


@click.command("demo-server")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="The loopback port; 0 takes a free one.",
)
@no_color_option
def demo_server(port: int) -> None:
    """Serve the demo provider on 127.0.0.1 until interrupted.

    Prints one JSON line {"base_url", "key_env", "key"} when it listens. The key opens nothing but
    this demo.
    """
    from core.demo.serve import Demo, serve_forever

    def listening(server: Demo) -> None:
        import msgspec

        line = {
            "base_url": server.base_url,
            "key_env": server.key_env,
            "key": server.key.reveal(),
        }
        click.echo(msgspec.json.encode(line).decode())
        sys.stdout.flush()

    serve_forever(port, listening)
