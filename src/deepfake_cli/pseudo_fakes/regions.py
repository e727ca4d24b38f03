"""Points of the face mesh by part of the face, and the shares of forged regions by method."""

OVAL = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172,
    58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
]  # fmt: skip
BROWS = [46, 53, 52, 65, 55, 70, 63, 105, 66, 107, 276, 283, 282, 295, 285, 300, 293, 334, 296, 336]
LIPS = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409]
EYES = [
    33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 263, 249, 390, 373, 374, 380, 381, 382, 362, 466,
    388, 387, 386, 385, 384, 398,
]  # fmt: skip
NOSE = [168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 98, 97, 326, 327, 129, 358, 49, 279, 48, 278]
NOSTRILS = [129, 358, 49, 279, 48, 278]
CHIN = [136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 172, 397]
CHEEKS = [50, 280, 101, 330, 205, 425, 187, 411, 117, 346]
JAW = [234, 454, 93, 323, 132, 361, 58, 288]

REGIONS = {  # a mask is the convex hull of a region
    "face": OVAL,
    "inner face": BROWS + LIPS + CHEEKS,
    "brows to chin": BROWS + CHIN + JAW,
    "lower face": LIPS + CHIN + NOSTRILS + [205, 425, 187, 411],
    "mouth": [*LIPS, 2, 98, 327, 200, 204, 424, 186, 410],
    "eyes to mouth": EYES + NOSE + LIPS,
    "eyes": [*EYES, *BROWS, 168, 6, 197],
}

Shares = dict[str, float]

ANY: Shares = {
    "face": 0.30, "inner face": 0.22, "brows to chin": 0.16, "lower face": 0.12, "mouth": 0.08, "eyes to mouth": 0.06,
    "eyes": 0.06,
}  # fmt: skip
SWAPPED: Shares = {"face": 0.35, "inner face": 0.25, "brows to chin": 0.3, "eyes to mouth": 0.1}
SPEAKING: Shares = {"face": 0.25, "inner face": 0.2, "brows to chin": 0.2, "lower face": 0.2, "mouth": 0.15}
LOOKING: Shares = {"face": 0.34, "inner face": 0.33, "brows to chin": 0.33}
