"""A schedule fires, and a backup is in the vault, in the replica, and on the command line's list. Comes first: it waits
for the schedule of the deploy, and then switches it off so that no other test meets a backup it did not ask for."""

from __future__ import annotations

from cloud_functions import json_lines, metrics
from cloud_objects import read_record, schedule_of, switch_off
from cloud_world import World

# The schedule says every minute, and the emulator looks every ten seconds.
FIRES_WITHIN = 100


def test_the_schedule_fires_and_a_backup_is_in_both_regions_and_on_the_list(world: World) -> None:
    schedule = schedule_of(world.aws, world.functions.name("backup"))
    key = world.vault.wait_for_new("manifests/", set(), FIRES_WITHIN)
    switch_off(world.aws, schedule)
    run = world.vault.wait_for_new("runs/", set(), 10)

    for prefix in ("keys/", "packs/", "manifests/", "runs/"):
        assert world.replica.objects(prefix) == world.vault.objects(prefix) != {}
    (backup,) = world.tool().json("list")["backups"]
    assert key == f"manifests/{backup['backup']}.manifest"
    assert read_record(world.vault.get(run))["outcome"] == "succeeded"


def test_it_wrote_json_lines_and_metrics_without_errors(world: World) -> None:
    lines = world.functions.log("backup")
    (measured,) = metrics(lines)
    directive = measured["_aws"]["CloudWatchMetrics"][0]
    assert directive["Namespace"] == "GorgenBackup"
    assert directive["Dimensions"] == [["Vault", "Job"]]
    assert (measured["Vault"], measured["Job"]) == (f"s3://{world.vault.name}", "backup")
    assert (measured["Succeeded"], measured["Failed"]) == (1, 0)
    assert measured["RowsRead"] > 0 and measured["BytesNew"] > 0
    written = [line for line in lines if not line.startswith(("START ", "END ", "REPORT "))]
    assert sorted(line.get("level", "metrics") for line in json_lines(written)) == ["INFO", "metrics"], written
