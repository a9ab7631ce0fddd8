"""What SQLite and PostgreSQL spell differently."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class Instr(GenericFunction[int]):
    """Where a text begins within another, counted from 1; 0: nowhere."""

    type = BigInteger()
    inherit_cache = True


@compiles(Instr)
def _instr(call: Instr, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr{compiler.process(call.clause_expr, **options)}"


@compiles(Instr, "postgresql")
def _strpos(call: Instr, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos{compiler.process(call.clause_expr, **options)}"
