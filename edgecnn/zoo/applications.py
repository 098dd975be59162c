"""The ImageNet networks of ``keras.applications``, each with its preprocessing in the graph."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from edgecnn.zoo.network import Network
from edgecnn.zoo.preprocessing import caffe, efficientnet, included, tf, torch
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    import keras


class _Row(NamedTuple):
    function: str
    size: int
    preprocess: Callable[[Any], Any]
    parameters: int
    multiply_adds: int
    source: str


_CONVNEXT = "Liu et al., 2022"
_DENSENET = "Huang et al., 2017"
_EFFICIENTNET = "Tan and Le, 2019"
_EFFICIENTNET_V2 = "Tan and Le, 2021"
_INCEPTION_RESNET = "Szegedy et al., 2017"
_INCEPTION_V3 = "Szegedy et al., 2016"
_MOBILENET = "Howard et al., 2017"
_MOBILENET_V2 = "Sandler et al., 2018"
_MOBILENET_V3 = "Howard et al., 2019"
_NASNET = "Zoph et al., 2018"
_RESNET = "He et al., 2016"
_RESNET_V2 = "He et al., 2016, identity mappings"
_VGG = "Simonyan and Zisserman, 2015"
_XCEPTION = "Chollet, 2017"

_TABLE = {
    "convnext_tiny": _Row("ConvNeXtTiny", 224, torch, 28_589_128, 4_455_531_264, _CONVNEXT),
    "convnext_small": _Row("ConvNeXtSmall", 224, torch, 50_223_688, 8_683_712_256, _CONVNEXT),
    "convnext_base": _Row("ConvNeXtBase", 224, torch, 88_591_464, 15_354_729_472, _CONVNEXT),
    "convnext_large": _Row("ConvNeXtLarge", 224, torch, 197_767_336, 34_361_433_600, _CONVNEXT),
    "convnext_xlarge": _Row("ConvNeXtXLarge", 224, torch, 350_196_968, 60_921_030_656, _CONVNEXT),
    "densenet121": _Row("DenseNet121", 224, torch, 8_062_504, 2_834_161_664, _DENSENET),
    "densenet169": _Row("DenseNet169", 224, torch, 14_307_880, 3_359_843_328, _DENSENET),
    "densenet201": _Row("DenseNet201", 224, torch, 20_242_984, 4_291_365_888, _DENSENET),
    "efficientnet_b0": _Row("EfficientNetB0", 224, efficientnet, 5_330_571, 385_814_752, _EFFICIENTNET),
    "efficientnet_b1": _Row("EfficientNetB1", 240, efficientnet, 7_856_239, 686_802_832, _EFFICIENTNET),
    "efficientnet_b2": _Row("EfficientNetB2", 260, efficientnet, 9_177_569, 993_561_872, _EFFICIENTNET),
    "efficientnet_b3": _Row("EfficientNetB3", 300, efficientnet, 12_320_535, 1_827_141_392, _EFFICIENTNET),
    "efficientnet_b4": _Row("EfficientNetB4", 380, efficientnet, 19_466_823, 4_393_771_024, _EFFICIENTNET),
    "efficientnet_b5": _Row("EfficientNetB5", 456, efficientnet, 30_562_527, 10_266_384_752, _EFFICIENTNET),
    "efficientnet_b6": _Row("EfficientNetB6", 528, efficientnet, 43_265_143, 19_067_593_536, _EFFICIENTNET),
    "efficientnet_b7": _Row("EfficientNetB7", 600, efficientnet, 66_658_687, 37_745_884_192, _EFFICIENTNET),
    "efficientnet_v2_b0": _Row("EfficientNetV2B0", 224, torch, 7_200_312, 718_086_176, _EFFICIENTNET_V2),
    "efficientnet_v2_b1": _Row("EfficientNetV2B1", 240, torch, 8_212_124, 1_196_819_360, _EFFICIENTNET_V2),
    "efficientnet_v2_b2": _Row("EfficientNetV2B2", 260, torch, 10_178_374, 1_697_542_832, _EFFICIENTNET_V2),
    "efficientnet_v2_b3": _Row("EfficientNetV2B3", 300, torch, 14_467_622, 3_011_458_816, _EFFICIENTNET_V2),
    "efficientnet_v2_s": _Row("EfficientNetV2S", 384, included, 21_612_360, 8_365_617_152, _EFFICIENTNET_V2),
    "efficientnet_v2_m": _Row("EfficientNetV2M", 480, included, 54_431_388, 24_582_460_384, _EFFICIENTNET_V2),
    "efficientnet_v2_l": _Row("EfficientNetV2L", 480, included, 119_027_848, 56_079_699_008, _EFFICIENTNET_V2),
    "inception_resnet_v2": _Row("InceptionResNetV2", 299, tf, 55_873_736, 13_155_794_016, _INCEPTION_RESNET),
    "inception_v3": _Row("InceptionV3", 299, tf, 23_851_784, 5_713_216_096, _INCEPTION_V3),
    "mobilenet": _Row("MobileNet", 224, tf, 4_253_864, 568_740_352, _MOBILENET),
    "mobilenet_v2": _Row("MobileNetV2", 224, tf, 3_538_984, 300_774_272, _MOBILENET_V2),
    "mobilenet_v3_small": _Row("MobileNetV3Small", 224, included, 2_554_968, 56_510_400, _MOBILENET_V3),
    "mobilenet_v3_large": _Row("MobileNetV3Large", 224, included, 5_507_432, 216_589_760, _MOBILENET_V3),
    "nasnet_mobile": _Row("NASNetMobile", 224, tf, 5_326_716, 563_638_816, _NASNET),
    "nasnet_large": _Row("NASNetLarge", 331, tf, 88_949_818, 23_783_414_658, _NASNET),
    "resnet50": _Row("ResNet50", 224, caffe, 25_636_712, 3_857_973_248, _RESNET),
    "resnet101": _Row("ResNet101", 224, caffe, 44_707_176, 7_570_194_432, _RESNET),
    "resnet152": _Row("ResNet152", 224, caffe, 60_419_944, 11_282_415_616, _RESNET),
    "resnet50_v2": _Row("ResNet50V2", 224, tf, 25_613_800, 3_482_255_360, _RESNET_V2),
    "resnet101_v2": _Row("ResNet101V2", 224, tf, 44_675_560, 7_194_476_544, _RESNET_V2),
    "resnet152_v2": _Row("ResNet152V2", 224, tf, 60_380_648, 10_906_697_728, _RESNET_V2),
    "vgg16": _Row("VGG16", 224, caffe, 138_357_544, 15_470_264_320, _VGG),
    "vgg19": _Row("VGG19", 224, caffe, 143_667_240, 19_632_062_464, _VGG),
    "xception": _Row("Xception", 299, tf, 22_910_480, 8_357_403_496, _XCEPTION),
}


def keras_function(name: str) -> Callable[..., keras.Model]:
    """The function of ``keras.applications`` that builds the network of that name.

    Raises:
        UsageError: Keras has no such network.
    """
    if name not in _TABLE:
        raise UsageError(f"{name} is not a network of keras.applications; there are: {', '.join(_TABLE)}")
    import keras

    function: Callable[..., keras.Model] = getattr(keras.applications, _TABLE[name].function)
    return function


def _layers(name: str, pixels: Any, classes: int) -> Any:
    """The layers under Keras's own names, so that its weights fit, but for the softmax, which is always float32."""
    from keras import layers

    function, preprocess = keras_function(name), _TABLE[name].preprocess
    options = {"classes": classes, "classifier_activation": None}
    if preprocess is not included and "include_preprocessing" in inspect.signature(function).parameters:
        # Keras normalises with constants from outside the graph, which the ONNX converter takes for inputs.
        options["include_preprocessing"] = False
    x = preprocess(pixels)
    model = function(weights=None, input_tensor=x, input_shape=x.shape[1:], **options)
    return layers.Softmax(dtype="float32", name="probabilities")(model.output)


APPLICATIONS = [
    Network(
        name,
        partial(_layers, name),
        row.size,
        row.size,
        classes=1000,
        parameters=row.parameters,
        multiply_adds=row.multiply_adds,
        source=row.source,
        pretrained=True,
    )
    for name, row in _TABLE.items()
]
