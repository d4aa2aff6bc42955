# SPDX-License-Identifier: Apache-2.0
"""FastAPI and onnxruntime as a service: POST an image file to /predict. Configured for throughput: one process a core, each
computing with one thread.

    SPOTTER_ONNX=model.onnx uvicorn serve_fastapi:app --workers 2
"""
import io
import json
import os

import numpy
import onnxruntime
from fastapi import FastAPI, Request
from PIL import Image

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["SPOTTER_ONNX"], options, providers=["CPUExecutionProvider"])
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
app = FastAPI()


@app.post("/predict")
async def predict(request: Request):
    image = numpy.asarray(Image.open(io.BytesIO(await request.body())).convert("RGB"))[None]
    probabilities = session.run(["probabilities"], {"image": image})[0][0]
    top = probabilities.argsort()[::-1][:5]
    return {"top": [{"class": classes[i], "probability": float(probabilities[i])} for i in top]}
