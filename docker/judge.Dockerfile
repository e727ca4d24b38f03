# Judges files; no TensorFlow: 0.6 GB beside the base image.
#   docker build -f docker/judge.Dockerfile -t deepfake-judge .
#   docker run --rm --network none -v "$PWD:/media:ro" deepfake-judge predict /media
#   docker run --rm -p 127.0.0.1:8765:8765 deepfake-judge app --host 0.0.0.0 --no-open
FROM python:3.12-slim
WORKDIR /deepfake-cli
COPY requirements/judge.txt requirements/
RUN pip install --no-cache-dir -r requirements/judge.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip install --no-cache-dir --no-deps . && useradd --create-home judge
USER judge
WORKDIR /home/judge
ENTRYPOINT ["deepfake"]
CMD ["--help"]
