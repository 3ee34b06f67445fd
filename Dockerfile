# A worker. The build stage has the compiler's leftovers, the final one only what runs.
FROM python:3.13.5-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/thirdshift
COPY requirements.lock ./
RUN /opt/thirdshift/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY thirdshift thirdshift
COPY workflows workflows
COPY activities activities
RUN /opt/thirdshift/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13.5-slim-bookworm
# git for the hub; bubblewrap so that the system's own is used; procps to look inside; tini so that nothing is orphaned.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends bubblewrap ca-certificates git procps tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 thirdshift \
    && install --directory --owner thirdshift /var/lib/thirdshift
COPY --from=build /opt/thirdshift /opt/thirdshift
COPY worker.py /opt/thirdshift/worker.py
ENV PATH=/opt/thirdshift/bin:$PATH THIRDSHIFT_HOME=/var/lib/thirdshift PYTHONUNBUFFERED=1
USER thirdshift
WORKDIR /srv
ENTRYPOINT ["tini", "--"]
CMD ["python", "/opt/thirdshift/worker.py"]
