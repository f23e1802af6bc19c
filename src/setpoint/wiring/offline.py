"""Opens a project's state and ledger alone, for commands that look and do not run: no model, no table, no registry."""

from dataclasses import dataclass
from pathlib import Path

from setpoint.adapters.sql_journal import SqlJournal
from setpoint.contract.contract import Contract
from setpoint.settings import Settings, read_settings, variables_in
from setpoint.wiring.contract_file import read_contract


@dataclass(frozen=True)
class Offline:
    """What can be looked at without running anything.

    Args:
        contract: The contract as it is written now.
        settings: The project's settings.
        journal: State and ledger of its model.
        folder: Folder of the project: the contract's.
    """

    contract: Contract
    settings: Settings
    journal: SqlJournal
    folder: Path


def open_offline(contract: Path, *, env: str = "") -> Offline:
    """Open the journal of a contract's model; nothing is created.

    Args:
        contract: The contract's file; its folder is the project.
        env: Name of an overlay `configs/NAME.yaml`, or empty.

    Raises:
        ContractError: The contract cannot be read.
        UsageError: A setting is unknown or says something impossible.
        JournalError: The database's URL cannot be understood.
    """
    return open_journal(read_contract(contract, env=env), contract.absolute().parent)


def open_journal(contract: Contract, folder: Path) -> Offline:
    """Open the journal of a contract's model in a project's folder; see `open_offline`."""
    settings = read_settings(folder, named=named_variables(contract))
    return Offline(contract, settings, SqlJournal(settings.database, contract.model.name), folder)


def named_variables(contract: Contract) -> frozenset[str]:
    """Return the names of environment variables that a contract speaks of, as in `${SETPOINT_SLACK_URL}`."""
    return variables_in(contract.text)
