// SPDX-License-Identifier: Apache-2.0
#include "base/host.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "base/parallel.h"
#include "base/text.h"

namespace spotter {
namespace {

/// ARM's Linux has no name for the processor, only the numbers of who designed it and of the design.
std::string CpuName() {
  std::ifstream file("/proc/cpuinfo");
  std::string implementer;
  for (std::string line; std::getline(file, line);) {
    const std::string value(Trim(line.substr(line.find(':') + 1)));
    if (line.starts_with("model name")) return value;
    if (line.starts_with("CPU implementer")) implementer = value;
    if (line.starts_with("CPU part")) return "ARM implementer " + implementer + " part " + value;
  }
  return "unknown";
}

/// Since the system began, in its ticks.
struct CpuTime {
  double all = 0;
  double idle = 0;  // or waiting for a disk
};

CpuTime ReadCpuTime() {
  std::ifstream file("/proc/stat");
  std::string cpu;
  double user = 0, nice = 0, system = 0, idle = 0, disk = 0, interrupts = 0, soft_interrupts = 0, stolen = 0;
  file >> cpu >> user >> nice >> system >> idle >> disk >> interrupts >> soft_interrupts >> stolen;
  return {user + nice + system + idle + disk + interrupts + soft_interrupts + stolen, idle + disk};
}

}  // namespace

double BusyShare() {
  const CpuTime before = ReadCpuTime();
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  const CpuTime after = ReadCpuTime();
  const double all = after.all - before.all;
  return all > 0 ? std::clamp(1 - (after.idle - before.idle) / all, 0.0, 1.0) : 0;
}

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
