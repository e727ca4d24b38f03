"""Lower bound of `predict`: decode, detect the face in every second frame, crop and score, one step after the other.

python benchmarks/bare_predict.py CLIP DETECTOR FACE_DETECTOR: what benchmarks/predict.py starts beside ``deepfake predict``.
"""

import sys

import av
import cv2
import numpy as np
import onnxruntime

SCALED = ((np.arange(256) - 127) / 128).astype(np.float32)
clip, detector, face_detector = sys.argv[1:]
score, find = (
    onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]) for path in (detector, face_detector)
)
crops = []
with av.open(clip) as container:
    for number, frame in enumerate(container.decode(video=0)):
        image = frame.to_ndarray(format="rgb24")
        if number % 2 == 0:
            given = cv2.LUT(cv2.resize(image, (320, 240)), SCALED)[None]
            found = find.run(None, {find.get_inputs()[0].name: given})[0][0]
            x0, y0, x1, y1 = found[found[:, 1].argmax(), 2:] * np.tile(image.shape[1::-1], 2)
            side = 1.3 * max(x1 - x0, y1 - y0)
            left, top = int((x0 + x1 - side) / 2), int((y0 + y1 - side) / 2)
        crops.append(cv2.resize(image[max(0, top) : int(top + side), max(0, left) : int(left + side)], (224, 224)))
scores = [
    score.run(["probability"], {"images": np.stack(crops[start : start + 16])})[0] for start in range(0, len(crops), 16)
]
print(f"{len(crops)} frames, {np.concatenate(scores).mean():.3f}")
