"""What the header and the source say; ``$words`` are filled in by :mod:`edgecnn_export.c_source`."""

from __future__ import annotations

from string import Template

HEADER = Template("""\
/*
 * $model: an image classifier in 8-bit integers, for TensorFlow Lite for Microcontrollers.
 * Written by edgecnn $version, from $file (SHA-256 of the model:
 * $sha256), which was compared with its
 * Keras model on $images images of $data:
$proof
 *
 * In: RGB pixels 0..255 as they are, one byte each, row by row; there is nothing to normalise.
 * Out: one byte a class, in the order of the labels.
 * A real value is SCALE * (byte - ZERO_POINT), a probability at the output.
 */
#ifndef ${PREFIX}_H
#define ${PREFIX}_H

#include <stdint.h>

/* Header and source of one export belong together; the source looks at this number. */
#define ${PREFIX}_EXPORT $export

#define ${PREFIX}_HEIGHT $height
#define ${PREFIX}_WIDTH $width
#define ${PREFIX}_CHANNELS 3
#define ${PREFIX}_INPUT_BYTES $input_bytes
#define ${PREFIX}_INPUT_SCALE $input_scale
#define ${PREFIX}_INPUT_ZERO_POINT $input_zero_point

#define ${PREFIX}_CLASSES $classes
#define ${PREFIX}_OUTPUT_SCALE $output_scale
#define ${PREFIX}_OUTPUT_ZERO_POINT $output_zero_point

/*
 * The tensor arena, in bytes: an estimate, for 64-bit pointers and TFLM's reference kernels. It is the activations,
 * placed as TFLM's planner does, and the interpreter's own records. Kernels for one chip (CMSIS-NN, ESP-NN) want
 * working memory on top: begin with more, and ask MicroInterpreter's arena_used_bytes().
 */
#define ${PREFIX}_ARENA_BYTES $arena

/*
 * The operators, for a resolver of this size:
 *   tflite::MicroMutableOpResolver<${PREFIX}_OPERATORS> resolver;
 *   ${PREFIX}_ADD_OPERATORS(resolver);
 */
#define ${PREFIX}_OPERATORS $operators
#define ${PREFIX}_ADD_OPERATORS(resolver) \\
    do { \\
$add_operators
    } while (0)

#define ${PREFIX}_MODEL_BYTES $model_bytes

#ifdef __cplusplus
extern "C" {
#endif

/* The model, a TFLite flatbuffer, aligned to 16 bytes. */
extern const uint8_t ${prefix}_model[${PREFIX}_MODEL_BYTES];

/* The names of the classes, in UTF-8. */
extern const char *const ${prefix}_labels[${PREFIX}_CLASSES];

/* A real image, the answer to be expected, and its class. */
#define ${PREFIX}_GOLDEN_LABEL $golden_label
extern const uint8_t ${prefix}_golden_input[${PREFIX}_INPUT_BYTES];
extern const uint8_t ${prefix}_golden_output[${PREFIX}_CLASSES];

/*
 * The largest difference of an answer to the golden input from the golden output, in steps of OUTPUT_SCALE. At export
 * it was
$golden_differences
 * and between them at most $golden_spread over the $golden_count golden images of $file. Kernels that
 * round otherwise may be a little off; the class must be GOLDEN_LABEL all the same.
 */
int ${prefix}_golden_difference(const uint8_t output[${PREFIX}_CLASSES]);

#ifdef __cplusplus
}
#endif

#endif
""")

SOURCE = Template("""\
/* $model, by edgecnn; see ${prefix}.h. */
#include "${prefix}.h"

#if ${PREFIX}_EXPORT != $export
#error "${prefix}.h is of another export than ${prefix}.c: export again"
#endif

#if defined(__cplusplus) && __cplusplus >= 201103L
#define ${PREFIX}_ALIGNED alignas(16)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define ${PREFIX}_ALIGNED _Alignas(16)
#elif defined(__GNUC__)
#define ${PREFIX}_ALIGNED __attribute__((aligned(16)))
#else
#error "say how this compiler aligns an array to 16 bytes"
#endif

${PREFIX}_ALIGNED const uint8_t ${prefix}_model[${PREFIX}_MODEL_BYTES] = {
$model_array
};

const char *const ${prefix}_labels[${PREFIX}_CLASSES] = {
$labels
};

const uint8_t ${prefix}_golden_input[${PREFIX}_INPUT_BYTES] = {
$golden_input
};

const uint8_t ${prefix}_golden_output[${PREFIX}_CLASSES] = {
$golden_output
};

int ${prefix}_golden_difference(const uint8_t output[${PREFIX}_CLASSES])
{
    int index, most = 0;
    for (index = 0; index < ${PREFIX}_CLASSES; ++index) {
        const int above = output[index] - ${prefix}_golden_output[index];
        const int difference = above < 0 ? -above : above;
        most = difference > most ? difference : most;
    }
    return most;
}
""")
