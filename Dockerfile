# One image for each service: docker build --build-arg SERVICE=verifier -t backfill/verifier .
# An image holds the shared library and its own service, nothing of the others.
# The compiled part of hashing needs a compiler, which the image of a service does not have.
FROM python:3.11-bookworm AS compiled
COPY libs/multibuffer /multibuffer
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels /multibuffer

FROM python:3.11-slim-bookworm
ARG SERVICE
RUN test -n "$SERVICE" || { echo "name the service: --build-arg SERVICE=verifier" >&2; exit 1; }
RUN useradd --system --uid 10001 --create-home backfill
WORKDIR /srv
COPY constraints.txt ./
COPY --from=compiled /wheels /wheels
COPY libs/common libs/common
COPY services/${SERVICE} services/${SERVICE}
RUN pip install --no-cache-dir -c constraints.txt /wheels/*.whl "./libs/common[s3,azure,sqs]" "./services/${SERVICE}"
USER backfill
ENV SERVICE=${SERVICE} BACKFILL_LOG_FORMAT=json PYTHONUNBUFFERED=1
# exec: the service gets SIGTERM itself and lets go of its work.
CMD ["sh", "-c", "exec python -m \"$SERVICE\""]
