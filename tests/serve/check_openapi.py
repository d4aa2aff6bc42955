# SPDX-License-Identifier: Apache-2.0
"""schemathesis against the OpenAPI description: what the service answers is what it says that it answers, and never a 5xx.

    check_openapi.py SPOTTER RUN [EXAMPLES]
"""
import os
import pathlib
import subprocess
import sys

from service import Service

spotter, run, *examples = sys.argv[1:]
tool = pathlib.Path(sys.executable).parent / "schemathesis"
with Service(spotter, run) as service:
    outcome = subprocess.run(
        [tool, "run", service.url + "/api/openapi.json", "--checks",
         "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,unsupported_method",
         "--max-examples", *(examples or ["40"]), "--seed", "1", "--no-color"], capture_output=True, text=True,
        env={k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")})
    assert service.process.poll() is None, service.stderr()
    assert outcome.returncode == 0, outcome.stdout[-6000:] + outcome.stderr[-2000:]
    fives = service.metric('spotter_requests_total{route="/api/predict",code="5')
    assert fives == 0, fives
