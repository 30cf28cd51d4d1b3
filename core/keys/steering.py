"""Variables that steer programs: no key's place, whatever a config says.

A config may name any variable in apiKeyEnv. A child that is started with ``LD_PRELOAD``,
``NODE_OPTIONS`` or ``PATH`` set by a stranger's file would run the stranger's code, and a value of
such a variable is no key that anybody meant to send.
"""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = """
    PATH HOME USER LOGNAME SHELL PWD OLDPWD IFS ENV BASH_ENV ZDOTDIR FPATH CDPATH TERM TERMINFO
    TERMCAP TMPDIR TMP TEMP EDITOR VISUAL PAGER MANPAGER BROWSER LANG LANGUAGE TZ PROMPT_COMMAND PS0
    PS1 PS2 PS3 PS4 PROMPT RPROMPT SHELLOPTS BASHOPTS GLOBIGNORE INPUTRC HISTFILE FCEDIT EXINIT
    VIMINIT LESSOPEN LESSCLOSE LESS MORE MANPATH INFOPATH DISPLAY WAYLAND_DISPLAY
    PATHEXT COMSPEC SYSTEMROOT SYSTEMDRIVE WINDIR USERPROFILE APPDATA LOCALAPPDATA PROGRAMDATA
    PSMODULEPATH CLASSPATH RUBYOPT RUBYLIB RUBYSHELL PHPRC WGETRC HOSTALIASES LOCALDOMAIN
    GLIBC_TUNABLES NLSPATH LOCPATH GCONV_PATH RESOLV_HOST_CONF SSLKEYLOGFILE
    CC CXX LD AR AS CPP MAKE MAKEFLAGS MFLAGS CFLAGS CXXFLAGS LDFLAGS RUSTC RUSTDOC RUSTFLAGS
    GOFLAGS GOPROXY GOBIN GOENV KUBECONFIG DOCKER_HOST SSH_AUTH_SOCK SSH_ASKPASS SUDO_ASKPASS
    DBUS_SESSION_BUS_ADDRESS DEBUGINFOD_URLS
"""
_STEERING: Final = frozenset(_WORDS.split())
_PREFIXES: Final = (
    "LD_", "DYLD_", "NODE_", "PYTHON", "PERL", "GIT_", "NPM_", "YARN_", "PNPM_", "COREPACK_",
    "BUN_", "DENO_", "XDG_", "LC_", "BASH_FUNC_", "PI_", "JAVA", "_JAVA_", "JDK_", "MAVEN_",
    "GRADLE_", "GEM_", "BUNDLE_", "CARGO_", "RUSTC_", "LUA_", "PHP_", "GTK_", "GIO_", "QT_",
    "MALLOC_", "OPENSSL_", "PIP_", "UV_", "VIRTUAL_ENV", "CONDA_", "GITHUB_ENV", "RUNNER_",
    "TURNKEY_", "DOTNET_", "COR_", "CORECLR_", "ELECTRON_", "__",
)  # fmt: skip
_ALWAYS: Final = ("LD_", "DYLD_", "BASH_FUNC_")
_ENDINGS: Final = (
    "PATH", "_HOME", "_DIR", "_FILE", "_OPTIONS", "_OPTS", "_FLAGS", "_PROXY", "_PRELOAD",
    "_WRAPPER", "_COMMAND", "_CONFIG", "_EDITOR", "_PAGER", "_SHELL", "_URL", "_HOST", "_HEADERS",
    "_BUNDLE", "_LIBRARY",
)  # fmt: skip
# What Warden reads for other things than a key.
_WARDENS: Final = ("WARDEN_MODEL", "WARDEN_OFFLINE", "WARDEN_PI_")
_KEY_LIKE: Final = re.compile(
    r"(?:^|.*_)(?:API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PAT|CREDENTIALS?)", re.IGNORECASE
)


def steers_programs(variable: str) -> bool:
    """True for variables such as ``PATH`` or ``NODE_OPTIONS``: never a key's place."""
    upper = variable.upper()
    if upper in _STEERING or upper.startswith(_ALWAYS) or upper.endswith(_ENDINGS):
        return True
    return upper.startswith(_PREFIXES + _WARDENS) and not looks_like_key(upper)


def looks_like_key(variable: str) -> bool:
    """True when the name ends as names of keys do (``..._KEY``, ``..._TOKEN``, ``..._SECRET``)."""
    return _KEY_LIKE.fullmatch(variable) is not None
