"""`bycase recipe list | show NAME | run NAME [OPTION ...] | search NAME [--set ...] | table [--markdown]`."""

import argparse
import logging
import sys


def main(arguments: list[str] | None = None) -> None:
    """List, show, run or search published systems, or print the table of their results."""
    options = _parser().parse_args(arguments)
    from bycase.studies.recipe.definition import AS_PUBLISHED, HONEST, read_recipe
    from bycase.studies.recipe.describe import describe_recipe
    from bycase.studies.recipe.run import run_recipe
    from bycase.studies.recipe.settings import Network
    from bycase.studies.recipe.table import list_recipes, make_table
    from bycase.studies.recipe.workspace import WAY_BACK, WAY_BACK_OF_SEARCH

    if options.command == "list":
        sys.stdout.write(list_recipes())
    elif options.command == "show":
        sys.stdout.write(describe_recipe(read_recipe(options.name)))
    elif options.command == "table":
        sys.stdout.write(make_table(options.markdown))
    elif options.command == "search":
        from bycase.studies.recipe.search import search_recipe
        from bycase.studies.recipe.search_record import describe_search, read_search_result

        path = search_recipe(read_recipe(options.name), options.set)
        sys.stdout.write(describe_search(read_search_result(options.name)))
        logging.info("%s; the workspace holds this search; back to what is committed: %s", path, WAY_BACK_OF_SEARCH)
    else:
        protocol = HONEST if options.honest else AS_PUBLISHED
        network = Network.parse(options.network) if options.network else None
        result = run_recipe(read_recipe(options.name), protocol, options.set, network, options.brief)
        logging.info("%s; the workspace holds this run; back to what is committed: %s", result, WAY_BACK)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bycase recipe", description="The published systems by name.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="all recipes")
    show = commands.add_parser("show", help="what a recipe's authors printed, what is unknown, every setting")
    show.add_argument("name")
    run = commands.add_parser("run", help="run a recipe as a named DVC experiment and write its result")
    run.add_argument("name")
    run.add_argument("--honest", action="store_true", help="split by patient, a defect mended")
    run.add_argument(
        "--network",
        metavar="NAME[:VARIANT]",
        help="another network, trained as the recipe trains its own; a row of its own in the table",
    )
    run.add_argument("--brief", action="store_true", help="no further than evaluate; the run becomes no experiment")
    run.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="key=value",
        help="other values for keys of params.yaml, which the result then says",
    )
    search = commands.add_parser(
        "search",
        help="run the search by which a recipe's authors found their settings, nested, and write its result",
        description="The search of a recipe's section 'search' on training and validation images of its honest "
        "protocol, repeated on what each outer fold leaves: its own best score, what is left of it on the outer "
        "folds, the authors' final settings there, and the optimism.",
    )
    search.add_argument("name")
    search.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="key=value",
        help="other values for keys of params.yaml, and with search. in front for those of tuning/params.yaml, such "
        "as search.budget.trials=6",
    )
    table = commands.add_parser("table", help="published, as they did it, honest")
    table.add_argument("--markdown", action="store_true", help="for a README")
    return parser
