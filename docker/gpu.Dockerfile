# The whole product, with CUDA's libraries; the host needs NVIDIA's driver and its container toolkit.
#   docker build -f docker/gpu.Dockerfile -t deepfake-gpu .
#   docker run --rm --gpus all -v "$PWD:/data" --user "$(id -u):$(id -g)" deepfake-gpu train --model efficientnet_lite0
FROM python:3.12-slim
WORKDIR /deepfake-cli
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip install --no-cache-dir '.[gpu,app]'
# The driver's libraries that the container toolkit mounts.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
# Downloaded ImageNet weights stay in the mounted folder.
ENV HOME=/tmp KERAS_HOME=/data/.keras
WORKDIR /data
ENTRYPOINT ["deepfake"]
CMD ["doctor"]
