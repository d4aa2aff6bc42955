// SPDX-License-Identifier: Apache-2.0
// What the object files of the kernels define. Some are compiled for AVX-512 processors only; a build without them
// takes not_built.cc in their place.
#include <gtest/gtest.h>

#include <cstdio>
#include <set>
#include <string>
#include <vector>

namespace spotter {
namespace {

struct Symbol {
  std::string object;
  char kind;  // as nm has it: T a function, W one that the linker may take from another file
  std::string name;
};

/// Of a library or an object file; empty where nm fails.
std::vector<Symbol> Symbols(const std::string& file) {
  FILE* lines = ::popen((NM_PROGRAM " -A -C --defined-only " + file).c_str(), "r");
  std::vector<Symbol> symbols;
  char line[4096];
  while (lines != nullptr && std::fgets(line, sizeof(line), lines) != nullptr) {
    // library:object:address kind name
    std::string text = line;
    text.pop_back();
    const size_t space = text.find(' ');
    if (space == std::string::npos || space + 3 > text.size()) continue;
    symbols.push_back({text.substr(0, space), text[space + 1], text.substr(space + 3)});
  }
  return lines != nullptr && ::pclose(lines) == 0 ? symbols : std::vector<Symbol>();
}

bool ForAvx512(const Symbol& symbol) {
  return symbol.object.find("_avx512.cc.o:") != std::string::npos ||
         symbol.object.find("_amx.cc.o:") != std::string::npos;
}

class Linkage : public testing::Test {
 protected:
  void SetUp() override {
    const std::vector<Symbol> all = Symbols(KERNELS_LIBRARY);
    ASSERT_FALSE(all.empty()) << "nm gives nothing of " KERNELS_LIBRARY;
    for (const Symbol& symbol : all) {
      if (ForAvx512(symbol)) kernels_.push_back(symbol);
    }
    if (kernels_.empty()) GTEST_SKIP() << "built without the AVX-512 kernels";
  }
  std::vector<Symbol> kernels_;
};

// Where two object files define the same inline function the linker keeps one of them, perhaps the one that does not
// run here.
TEST_F(Linkage, KernelsShareNoCodeWithOtherFiles) {
  for (const Symbol& symbol : kernels_)
    EXPECT_TRUE(symbol.kind != 'W' && symbol.kind != 'u') << symbol.object << " " << symbol.name;
}

TEST_F(Linkage, ABuildWithoutKernelsHasSomethingForEach) {
  std::set<std::string> stand_ins;
  for (const Symbol& symbol : Symbols(STAND_INS)) stand_ins.insert(symbol.name);
  ASSERT_FALSE(stand_ins.empty());
  for (const Symbol& symbol : kernels_) {
    if (symbol.kind == 'T') EXPECT_TRUE(stand_ins.contains(symbol.name)) << symbol.name;
  }
}

}  // namespace
}  // namespace spotter
