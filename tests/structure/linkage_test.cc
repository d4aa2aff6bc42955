// SPDX-License-Identifier: Apache-2.0
// Files that are compiled for some processors only may not define what others use: where two object files define the
// same inline function the linker keeps one of them, perhaps the one that does not run here.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace spotter {
namespace {

TEST(Linkage, KernelsShareNoCodeWithOtherFiles) {
  FILE* symbols = ::popen(NM_PROGRAM " -A -C --defined-only " KERNELS_LIBRARY " 2>&1", "r");
  ASSERT_NE(symbols, nullptr);
  int own = 0;
  char line[4096];
  while (std::fgets(line, sizeof(line), symbols) != nullptr) {
    const std::string text = line;
    if (text.find("_avx512.cc.o:") == std::string::npos) continue;
    ++own;
    EXPECT_TRUE(text.find(" W ") == std::string::npos && text.find(" u ") == std::string::npos) << text;
  }
  EXPECT_EQ(::pclose(symbols), 0);
  if (own == 0) GTEST_SKIP() << "built without the AVX-512 kernels";
}

}  // namespace
}  // namespace spotter
