// SPDX-License-Identifier: Apache-2.0
// For what *_avx512.cc and *_amx.cc take from headers: it is inlined always, so that no copy is left that the linker
// could give to files for other processors (tests/structure). The second is for members of classes.
#pragma once

#define SPOTTER_INLINE static inline __attribute__((always_inline))
#define SPOTTER_INLINE_MEMBER inline __attribute__((always_inline))
