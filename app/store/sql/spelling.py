"""What SQLite and PostgreSQL spell differently."""

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement, GenericFunction


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


class Now(FunctionElement[int]):
    """Milliseconds since 1970, as the statement runs: its transaction may be older."""

    inherit_cache = True
    type = BigInteger()


@compiles(Now, "sqlite")
def _sqlite(_: Now, __: Any, **___: Any) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


@compiles(Now, "postgresql")
def _postgresql(_: Now, __: Any, **___: Any) -> str:
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
