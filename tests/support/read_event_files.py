# SPDX-License-Identifier: Apache-2.0
"""Prints what TensorBoard's readers make of a folder of event files, as JSON: for each reader the entries of each tag.

    read_event_files.py FOLDER

accumulator: EventAccumulator, what scripts use. plugins: TensorBoard with --load_fast=false. data_server: TensorBoard
as it is started by default; left out on machines for which there is no such server.
"""
import json
import math
import sys
import time

from tensorboard import context
from tensorboard.backend.event_processing import data_provider, event_accumulator, plugin_event_multiplexer
from tensorboard.data import provider as providers
from tensorboard.data import server_ingester
from tensorboard.util import grpc_util, tensor_util

EVERYTHING = 1 << 20


def number(value):
    return float(value) if math.isfinite(value) else str(value)  # JSON has no NaN


def text(tensor):
    assert tensor.shape == (1,), tensor.shape
    return tensor[0].decode()


def from_accumulator(folder):
    reader = event_accumulator.EventAccumulator(folder, event_accumulator.STORE_EVERYTHING_SIZE_GUIDANCE)
    reader.Reload()
    tags = reader.Tags()
    of_plugin_text = reader.PluginTagToContent("text") if tags["tensors"] else {}
    assert set(of_plugin_text) == set(tags["tensors"])
    return {
        "scalars": {tag: [[e.wall_time, e.step, number(e.value)] for e in reader.Scalars(tag)] for tag in tags["scalars"]},
        "images": {
            tag: [
                [e.wall_time, e.step, [str(e.width), str(e.height), e.encoded_image_string.hex()]]
                for e in reader.Images(tag)
            ]
            for tag in tags["images"]
        },
        "texts": {
            tag: [[e.wall_time, e.step, text(tensor_util.make_ndarray(e.tensor_proto))] for e in reader.Tensors(tag)]
            for tag in of_plugin_text
        },
    }


def from_provider(provider):
    """What the tabs show: each plugin asks for the tags that are its own."""
    about = context.RequestContext()
    one_run = {"experiment_id": "", "downsample": EVERYTHING, "run_tag_filter": providers.RunTagFilter(runs=["."])}

    def read(plugin, reader):
        return reader(about, plugin_name=plugin, **one_run).get(".", {})

    def blobs(datum):
        values = [provider.read_blob(about, blob_key=reference.blob_key) for reference in datum.values]
        return [values[0].decode(), values[1].decode(), values[2].hex()]

    scalars, images, texts = (
        read("scalars", provider.read_scalars),
        read("images", provider.read_blob_sequences),
        read("text", provider.read_tensors),
    )
    return {
        "scalars": {tag: [[e.wall_time, e.step, number(e.value)] for e in series] for tag, series in scalars.items()},
        "images": {tag: [[e.wall_time, e.step, blobs(e)] for e in series] for tag, series in images.items()},
        "texts": {tag: [[e.wall_time, e.step, text(e.numpy)] for e in series] for tag, series in texts.items()},
    }


def from_plugins(folder):
    multiplexer = plugin_event_multiplexer.EventMultiplexer(
        tensor_size_guidance={"scalars": EVERYTHING, "images": EVERYTHING, "text": EVERYTHING}
    )
    multiplexer.AddRunsFromDirectory(folder)
    multiplexer.Reload()
    return from_provider(data_provider.MultiplexerDataProvider(multiplexer, folder))


def from_data_server(folder, server, complete):
    """It answers while it still reads: asked until it says as much as `complete`, for ten seconds at most."""
    ingester = server_ingester.SubprocessServerDataIngester(
        server_binary=server,
        logdir=folder,
        reload_interval=0,
        channel_creds_type=grpc_util.ChannelCredsType.LOCAL,
        samples_per_plugin={"scalars": EVERYTHING, "images": EVERYTHING, "text": EVERYTHING},
    )
    ingester.start()
    deadline = time.monotonic() + 10
    while (answer := from_provider(ingester.data_provider)) != complete and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def main():
    folder = sys.argv[1]
    answers = {"accumulator": from_accumulator(folder), "plugins": from_plugins(folder)}
    try:
        server = server_ingester.get_server_binary()
    except server_ingester.NoDataServerError:
        pass
    else:
        answers["data_server"] = from_data_server(folder, server, answers["plugins"])
    print(json.dumps(answers))


main()
