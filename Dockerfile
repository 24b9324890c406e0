# The project and its environment, for CPUs:
#   docker build --tag mdrnets .
#   docker run --volume "$PWD/results:/results" mdrnets
# For clusters: docker save mdrnets --output mdrnets.tar, then
#   apptainer build mdrnets.sif docker-archive://mdrnets.tar
FROM python:3.13-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /project
COPY . .
RUN PIP_NO_CACHE_DIR=1 make environment PYTHON=python TORCH=cpu
ENV PATH=/project/.venv/bin:$PATH
CMD ["sh", "-c", "make table1 && cp -r reports/$(python -m mdrnets profile) /results/"]
