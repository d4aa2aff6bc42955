// SPDX-License-Identifier: Apache-2.0
// The pickle machine: a stack, a memo, and what each opcode does to them.
#include "data/pickle.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/text.h"
#include "data/pickle_opcodes.h"

namespace spotter {
namespace {

using Kind = PickleValue::Kind;
using Number = uint32_t;

/// A batch of CIFAR-10 makes about 25,000 values. Each opcode may make one: without a limit a file would take
/// memory of many times its size.
constexpr size_t kMaxValues = 4'000'000;

/// The names that may stand in such a file. numpy 2 renamed its core; both spellings occur.
bool IsKnownName(std::string_view name) {
  return name == "numpy ndarray" || name == "numpy dtype" || name == "numpy.core.multiarray _reconstruct" ||
         name == "numpy._core.multiarray _reconstruct" || name == "_codecs encode";
}

/// UTF-8 text of characters below U+0100 as one byte each: how Python 3 hides bytes in a protocol 2 pickle.
std::string Latin1(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<uint8_t>(text[i]);
    if (first < 0x80) {
      bytes += text[i];
      continue;
    }
    if ((first != 0xC2 && first != 0xC3) || i + 1 == text.size()) Fail(ExitCode::kData, "its bytes are not latin1");
    bytes += static_cast<char>((first & 0x03) << 6 | (static_cast<uint8_t>(text[++i]) & 0x3F));
  }
  return bytes;
}

}  // namespace

class PickleReader {
 public:
  PickleReader(std::string_view bytes, Pickle* out) : bytes_(bytes), out_(out) {}

  void Run() {
    if (Byte() != kProtocol) Fail(ExitCode::kData, "not a pickle of protocol 2 or later");
    const uint8_t protocol = Byte();
    if (protocol < 2 || protocol > 4) Fail(ExitCode::kData, "a pickle of protocol {}; expected 2 to 4", protocol);
    for (uint8_t opcode = Byte(); opcode != kStop; opcode = Byte()) {
      if (!Scalar(opcode) && !Container(opcode) && !Memo(opcode) && !Name(opcode)) {
        Fail(ExitCode::kData,
             "the pickle opcode 0x{:02x} at byte {} is none that plain data needs; nothing in it was executed", opcode,
             at_ - 1);
      }
    }
    out_->root_ = Pop();
  }

 private:
  std::string_view Take(uint64_t n) {
    if (n > bytes_.size() - at_) Fail(ExitCode::kData, "the pickle ends too early");
    at_ += n;
    return bytes_.substr(at_ - n, n);
  }
  uint8_t Byte() { return static_cast<uint8_t>(Take(1)[0]); }
  uint64_t LittleEndian(size_t n) {
    uint64_t value = 0;
    const std::string_view bytes = Take(n);
    for (size_t i = 0; i < n; ++i) value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
    return value;
  }
  std::string_view Line() {
    const std::string_view line = Take(std::min(bytes_.find('\n', at_), bytes_.size() + 1) - at_);
    Take(1);
    return line;
  }

  // The stack. A mark is the stack's height at that time.
  PickleValue& At(Number number) { return out_->values_[number]; }
  void Push(PickleValue value) {
    CheckCount(out_->values_.size());
    out_->values_.push_back(std::move(value));
    stack_.push_back(static_cast<Number>(out_->values_.size() - 1));
  }
  static void CheckCount(size_t have) {
    if (have >= kMaxValues) Fail(ExitCode::kData, "the pickle holds more than {} values", kMaxValues);
  }
  void PushInteger(int64_t value) { Push({.kind = Kind::kInteger, .integer = value, .text = {}, .items = {}}); }
  void PushText(Kind kind, std::string_view text) { Push({.kind = kind, .integer = 0, .text = text, .items = {}}); }
  void PushItems(Kind kind, std::vector<Number> items) {
    Push({.kind = kind, .integer = 0, .text = {}, .items = std::move(items)});
  }
  size_t Floor() const { return marks_.empty() ? 0 : marks_.back(); }  // values below it are out of reach
  Number Pop() {
    const Number top = Top();
    stack_.pop_back();
    return top;
  }
  Number Top() const {
    if (stack_.size() <= Floor()) FailShape();
    return stack_.back();
  }
  std::vector<Number> PopSome(size_t n) {
    if (stack_.size() - Floor() < n) FailShape();
    std::vector<Number> items(stack_.end() - static_cast<ptrdiff_t>(n), stack_.end());
    stack_.resize(stack_.size() - n);
    return items;
  }
  std::vector<Number> PopToMark() {
    if (marks_.empty()) FailShape();
    std::vector<Number> items = PopSome(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }
  [[noreturn]] static void FailShape() {
    Fail(ExitCode::kData, "the pickle's opcodes don't fit together; nothing in it was executed");
  }
  PickleValue& Expect(Number number, Kind kind) {
    if (At(number).kind != kind) FailShape();
    return At(number);
  }

  // One opcode a line.
  // clang-format off
  bool Scalar(uint8_t opcode) {
    switch (opcode) {
      case kFrame: Take(8); return true;  // says how much may be read ahead
      case kNone: Push({}); return true;
      case kTrue: PushInteger(1); return true;
      case kFalse: PushInteger(0); return true;
      case kInt1: PushInteger(Byte()); return true;
      case kInt2: PushInteger(static_cast<int64_t>(LittleEndian(2))); return true;
      case kInt4: PushInteger(static_cast<int32_t>(LittleEndian(4))); return true;
      case kLong1: PushInteger(Long(Byte())); return true;
      case kString1: case kBytes1: case kUnicode1: PushText(Kind::kString, Take(Byte())); return true;
      case kString4: case kBytes4: case kUnicode4: PushText(Kind::kString, Take(LittleEndian(4))); return true;
      case kBytes8: PushText(Kind::kString, Take(LittleEndian(8))); return true;
      default: return false;
    }
  }
  // clang-format on
  int64_t Long(size_t n) {
    if (n > 8) Fail(ExitCode::kData, "the pickle holds an integer of {} bytes; at most 8 are read", n);
    if (n == 0) return 0;
    return static_cast<int64_t>(LittleEndian(n) << (64 - 8 * n)) >> (64 - 8 * n);
  }

  // clang-format off
  bool Container(uint8_t opcode) {
    switch (opcode) {
      case kMark: CheckCount(marks_.size()), marks_.push_back(stack_.size()); return true;
      case kEmptyList: PushItems(Kind::kList, {}); return true;
      case kEmptyDictionary: PushItems(Kind::kDictionary, {}); return true;
      case kEmptyTuple: PushItems(Kind::kTuple, {}); return true;
      case kTuple: PushItems(Kind::kTuple, PopToMark()); return true;
      case kTuple1: case kTuple2: case kTuple3: PushItems(Kind::kTuple, PopSome(opcode - kTuple1 + 1)); return true;
      case kAppend: Extend(Kind::kList, PopSome(1)); return true;
      case kAppends: Extend(Kind::kList, PopToMark()); return true;
      case kSetItem: Extend(Kind::kDictionary, PopSome(2)); return true;
      case kSetItems: Extend(Kind::kDictionary, PopToMark()); return true;
      default: return false;
    }
  }
  // clang-format on
  void Extend(Kind kind, const std::vector<Number>& items) {
    std::vector<Number>& target = Expect(Top(), kind).items;
    if (kind == Kind::kDictionary && items.size() % 2 != 0) FailShape();
    target.insert(target.end(), items.begin(), items.end());
  }

  // clang-format off
  bool Memo(uint8_t opcode) {
    switch (opcode) {
      case kPut1: Put(Byte()); return true;
      case kPut4: Put(LittleEndian(4)); return true;
      case kMemoize: Put(memo_.size()); return true;
      case kGet1: Get(Byte()); return true;
      case kGet4: Get(LittleEndian(4)); return true;
      default: return false;
    }
  }
  // clang-format on
  void Put(uint64_t key) {
    CheckCount(memo_.size());
    memo_[key] = Top();
  }
  void Get(uint64_t key) {
    const auto at = memo_.find(key);
    if (at == memo_.end()) Fail(ExitCode::kData, "the pickle asks for memo {}, which it never stored", key);
    CheckCount(stack_.size());
    stack_.push_back(at->second);
  }

  bool Name(uint8_t opcode) {
    if (opcode == kGlobal) {
      const std::string_view module = Line();
      PushName(module, Line());
    } else if (opcode == kStackGlobal) {
      const std::vector<Number> names = PopSome(2);
      PushName(Expect(names[0], Kind::kString).text, Expect(names[1], Kind::kString).text);
    } else if (opcode == kReduce) {
      const std::vector<Number> call = PopSome(2);
      Reduce(Expect(call[0], Kind::kName).text, Expect(call[1], Kind::kTuple).items);
    } else if (opcode == kBuild) {
      const std::vector<Number> state = Expect(Pop(), Kind::kTuple).items;
      Build(&At(Top()), state);
    } else {
      return false;
    }
    return true;
  }
  void PushName(std::string_view module, std::string_view name) {
    const std::string_view text = Keep(fmt::format("{} {}", module, name));
    if (!IsKnownName(text)) {
      Fail(ExitCode::kData,
           "the pickle asks for Python's '{}.{}', which plain data does not need; nothing in it was executed",
           Printable(module), Printable(name));
    }
    PushText(Kind::kName, text);
  }

  /// Texts made anew come from texts in the file, so that they are longer in all only where it repeats one by the memo.
  std::string_view Keep(std::string text) {
    kept_bytes_ += text.size();
    if (kept_bytes_ > bytes_.size()) Fail(ExitCode::kData, "the pickle makes more text than it holds");
    return out_->texts_.emplace_back(std::move(text));
  }

  /// What a known call would make.
  void Reduce(std::string_view name, const std::vector<Number>& arguments) {
    if (name == "_codecs encode") {
      if (arguments.size() != 2 || Expect(arguments[1], Kind::kString).text != "latin1") FailShape();
      PushText(Kind::kString, Keep(Latin1(Expect(arguments[0], Kind::kString).text)));
    } else if (name == "numpy dtype") {
      if (arguments.empty() || Expect(arguments[0], Kind::kString).text != "u1") {
        Fail(ExitCode::kData, "the pickle holds a numpy array that is not of uint8");
      }
      PushText(Kind::kNumpyType, "u1");
    } else if (name.ends_with(" _reconstruct")) {
      if (arguments.empty() || Expect(arguments[0], Kind::kName).text != "numpy ndarray") FailShape();
      PushItems(Kind::kArray, {});
    } else {
      FailShape();
    }
  }

  /// Gives an array its state: (version, sizes, type, whether in Fortran order, content). A type's state says
  /// nothing more.
  void Build(PickleValue* value, const std::vector<Number>& state) {
    if (value->kind == Kind::kNumpyType) return;
    if (value->kind != Kind::kArray || state.size() != 5) FailShape();
    const std::vector<Number>& sizes = Expect(state[1], Kind::kTuple).items;
    Expect(state[2], Kind::kNumpyType);
    if (Expect(state[3], Kind::kInteger).integer != 0)
      Fail(ExitCode::kData, "the pickle holds an array in Fortran order");
    const std::string_view content = Expect(state[4], Kind::kString).text;
    uint64_t count = 1;
    bool fits = true;
    for (const Number size : sizes) {
      const int64_t n = Expect(size, Kind::kInteger).integer;
      fits = fits && n >= 0 && (n == 0 || count <= content.size() / static_cast<uint64_t>(n));
      if (fits) count *= static_cast<uint64_t>(n);
    }
    if (!fits || count != content.size()) {
      Fail(ExitCode::kData, "the pickle holds an array whose sizes don't fit its content");
    }
    value->items = sizes;
    value->text = content;
  }

  std::string_view bytes_;
  size_t at_ = 0;
  Pickle* out_;
  size_t kept_bytes_ = 0;  // in out_->texts_
  std::vector<Number> stack_;
  std::vector<size_t> marks_;
  std::unordered_map<uint64_t, Number> memo_;
};

Pickle::Pickle(std::string_view bytes) { PickleReader(bytes, this).Run(); }

const PickleValue* Pickle::Find(const PickleValue& dictionary, std::string_view key) const {
  if (dictionary.kind != Kind::kDictionary) return nullptr;
  for (size_t i = 0; i + 1 < dictionary.items.size(); i += 2) {
    const PickleValue& candidate = values_[dictionary.items[i]];
    if (candidate.kind == Kind::kString && candidate.text == key) return &values_[dictionary.items[i + 1]];
  }
  return nullptr;
}

}  // namespace spotter
