"""Passwords typed by a person, or handed over on standard input; never an argument, which others can see."""

import getpass
import sys

from apps.common.errors import InvalidInput


def read_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise InvalidInput("The two passwords are not the same.")
    return password
