# Web, worker and beat are this image with other commands; see docker-compose.yml.
FROM python:3.11-slim

# LightGBM, which trains models, needs the OpenMP runtime.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --home-dir /data credit \
    && install -d -o credit -g credit -m 700 /data

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data ENVIRONMENT=production
WORKDIR /app

COPY requirements/prod.txt requirements/prod.txt
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/prod.txt

COPY manage.py LICENSE ./
COPY config config
COPY tasks tasks
COPY apps apps

USER credit
EXPOSE 8000
# No access log of gunicorn: it would name paths, which may hold an identifier. Ours names routes.
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--workers", "3", "--worker-tmp-dir", "/dev/shm"]
