"""The demo's independent check would see what it is there to see."""

from __future__ import annotations

from azure.storage.blob import ContainerClient

from local_stack.demo.check import check
from local_stack.demo.making import Recipe, make
from servers.handles import AzureServer

RECIPE = Recipe("space", "b1", 1, {"data/a.txt": b"hello", "data/b.txt": b"world"})


def a_container_with_the_bag(azurite: AzureServer) -> ContainerClient:
    container = azurite.client().get_container_client(azurite.container())
    for item in make(RECIPE):
        container.upload_blob(item.key, item.data)
    return container


def faults(container: ContainerClient) -> tuple[list[str], list[str]]:
    findings, strangers = check(container, [RECIPE])
    return findings[0].faults, strangers


def test_a_whole_bag_has_no_faults(azurite: AzureServer) -> None:
    assert faults(a_container_with_the_bag(azurite)) == ([], [])


def test_one_wrong_byte_a_missing_blob_and_a_stranger_are_found(azurite: AzureServer) -> None:
    container = a_container_with_the_bag(azurite)
    container.upload_blob("space/b1/v1/data/a.txt", b"hellO", overwrite=True)
    container.delete_blob("space/b1/v1/data/b.txt")
    container.upload_blob("space/b1/v1/data/c.txt", b"")

    assert faults(container) == (
        [
            "space/b1/v1/data/a.txt has other bytes than the bag was made of",
            "space/b1/v1/data/b.txt is missing",
        ],
        ["space/b1/v1/data/c.txt"],
    )
