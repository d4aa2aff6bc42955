// SPDX-License-Identifier: Apache-2.0
// Reads the pickles that CIFAR-10's Python archive holds, and nothing more.
//
// A pickle is a program that may call any Python function. Here nothing is ever called: the few names that
// such files hold (numpy's way to say "an array of bytes of this shape") are recognised by spelling, any
// other is an error.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace spotter {

struct PickleValue {
  enum class Kind { kNone, kInteger, kString, kList, kTuple, kDictionary, kArray, kNumpyType, kName };
  Kind kind = Kind::kNone;
  int64_t integer = 0;    // also for booleans
  std::string_view text;  // kString: its bytes; kArray: its content; kName: "module name"; kNumpyType: "u1"
  std::vector<uint32_t>
      items;  // of a list or tuple; of a dictionary: key, value, key, value, ...; of an array: its sizes
};

/// The values of a pickle. They refer to each other by number, so nothing here can recurse, however deep they
/// nest.
class Pickle {
 public:
  /// Protocols 2 to 4, as Python 2 and 3 write dictionaries, lists, tuples, integers, strings, bytes, None,
  /// booleans and numpy arrays of uint8 in C order. `bytes` must outlive the Pickle. Throws Error(kData)
  /// whose message is the reason alone: an opcode or a name that is none of those ("nothing in it was
  /// executed"), an end too early, a length beyond the end.
  explicit Pickle(std::string_view bytes);

  const PickleValue& root() const { return values_[root_]; }
  const PickleValue& value(uint32_t number) const { return values_[number]; }

  /// The value at a key of a dictionary, nullptr when there is none.
  const PickleValue* Find(const PickleValue& dictionary, std::string_view key) const;

 private:
  friend class PickleReader;
  std::deque<PickleValue> values_;
  std::deque<std::string> texts_;  // strings that had to be made anew
  uint32_t root_ = 0;
};

}  // namespace spotter
