// SPDX-License-Identifier: Apache-2.0
// The opcodes of Python's pickles that plain data needs. Numbers and meanings: Python's pickletools.py.
#pragma once

#include <cstdint>

namespace spotter {

inline constexpr uint8_t kProtocol = 0x80, kFrame = 0x95, kStop = '.', kMark = '(', kNone = 'N', kTrue = 0x88,
                         kFalse = 0x89;
inline constexpr uint8_t kInt4 = 'J', kInt1 = 'K', kInt2 = 'M', kLong1 = 0x8a;
inline constexpr uint8_t kString1 = 'U', kString4 = 'T', kBytes1 = 'C', kBytes4 = 'B', kBytes8 = 0x8e;
inline constexpr uint8_t kUnicode1 = 0x8c, kUnicode4 = 'X';
inline constexpr uint8_t kEmptyList = ']', kAppend = 'a', kAppends = 'e', kEmptyDictionary = '}', kSetItem = 's',
                         kSetItems = 'u';
inline constexpr uint8_t kEmptyTuple = ')', kTuple = 't', kTuple1 = 0x85, kTuple2 = 0x86, kTuple3 = 0x87;
inline constexpr uint8_t kPut1 = 'q', kPut4 = 'r', kGet1 = 'h', kGet4 = 'j', kMemoize = 0x94;
inline constexpr uint8_t kGlobal = 'c', kStackGlobal = 0x93, kReduce = 'R', kBuild = 'b';

}  // namespace spotter
