// SPDX-License-Identifier: Apache-2.0
#include "base/host.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "base/parallel.h"
#include "base/text.h"

namespace spotter {
namespace {

std::string CpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return std::string(Trim(line.substr(line.find(':') + 1)));
  }
  return "unknown";
}

}  // namespace

Json DescribeHost() {
  utsname system{};
  ::uname(&system);
  return {{"cpu", CpuName()},
          {"architecture", system.machine},
          {"cores", AvailableCores()},
          {"memory_bytes", int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE)},
          {"system", std::string(system.sysname) + " " + system.release}};
}

}  // namespace spotter
