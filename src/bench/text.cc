// SPDX-License-Identifier: Apache-2.0
#include "bench/text.h"

#include <fmt/format.h>

#include "base/text.h"
#include "kernels/cpu.h"

namespace spotter {
namespace {

/// Three digits that count.
std::string Number(double value) {
  if (value >= 1000) return WithThousands(static_cast<int64_t>(value + 0.5));
  return fmt::format("{:.{}f}", value, value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3);
}

std::string Range(const Quantiles& q) { return Number(q.p10) + " to " + Number(q.p90); }

std::string Error(std::optional<double> share) { return share ? fmt::format("{:.1e}", *share) : "-"; }

constexpr const char* kRange = "10 % to 90 %";

double Share(const KernelSpeed& k, const MachinePeak& peak) {
  return k.gflops ? *k.gflops / peak.bf16_gflops.value_or(peak.fp32_gflops).median
                  : *k.gb_per_second / peak.memory_gb_per_second.median;
}

}  // namespace

std::string PeakText(const MachinePeak& peak) {
  std::string text =
      fmt::format("{:<52} {:>12}  {:>18} {:>5}\n",
                  fmt::format("Peak of {} thread{}", peak.threads, peak.threads == 1 ? "" : "s"), "", kRange, "n");
  const auto row = [&](const char* name, const Quantiles& q, const char* unit) {
    text += fmt::format("{:<52} {:>12}  {:>18} {:>5}\n", name, Number(q.median) + " " + unit, Range(q), q.n);
  };
  if (peak.bf16_gflops)
    row(kernels::CpuHasAmx() ? "bf16 multiply-adds (AMX)" : "bf16 multiply-adds (AVX-512)", *peak.bf16_gflops,
        "GFLOPS");
  row("fp32 multiply-adds", peak.fp32_gflops, "GFLOPS");
  row("memory, copied: read and written", peak.memory_gb_per_second, "GB/s  ");
  return text;
}

std::string KernelsText(const std::vector<KernelSpeed>& kernels, const MachinePeak& peak) {
  constexpr const char* kRow = "{:<34} {:<35} {:>8}  {:>16} {:>13} {:>8} {:>11} {:>7}  {:>14} {:>5}  {:>8} {:>10}\n";
  std::string text;
  for (size_t i = 0; i < kernels.size(); ++i) {
    const KernelSpeed& k = kernels[i];
    if (i == 0 || k.recipe != kernels[i - 1].recipe) {
      text += (i > 0 ? "\n" : "") + fmt::format(kRow, fmt::format("{}, batches of {}", k.recipe, k.images), "", "ms",
                                                kRange, "", "of peak", "libtorch ms", "faster", kRange, "n", "error",
                                                "libtorch's");
    }
    const std::string rate = k.gflops ? Number(*k.gflops) + " GFLOPS" : Number(*k.gb_per_second) + " GB/s  ";
    text +=
        fmt::format(kRow, k.kernel, k.shape, Number(k.ms.median), Range(k.ms), rate,
                    fmt::format("{:.0f} %", 100 * Share(k, peak)), Number(k.libtorch_ms.median),
                    Number(k.ratio.median) + "x", Range(k.ratio), k.ratio.n, Error(k.error), Error(k.libtorch_error));
  }
  if (!kernels.empty())
    text +=
        "GFLOPS: two a multiply-add of the plain algorithm, of which Winograd's (on AVX-512) needs up to four times "
        "fewer, so that it may be above the peak; GB/s of maps in a cache may be above the memory's\n"
        "error: root mean square of the difference from fp64, as a share of the values'; of 0 nothing was rounded\n";
  return text;
}

Json KernelsJson(const std::vector<KernelSpeed>& kernels, const MachinePeak& peak) {
  Json list = Json::array();
  for (const KernelSpeed& k : kernels) {
    Json json = {{"recipe", k.recipe}, {"kernel", k.kernel}, {"shape", k.shape}, {"images", k.images}, {"n", k.ms.n}};
    json.update(ToJson(k.ms, "ms"));
    json["gflops"] = k.gflops ? Json(*k.gflops) : Json();
    json["gb_per_second"] = k.gb_per_second ? Json(*k.gb_per_second) : Json();
    json["share_of_peak"] = Share(k, peak);
    json.update(ToJson(k.libtorch_ms, "libtorch_ms"));
    json["libtorch_gflops"] = k.libtorch_gflops ? Json(*k.libtorch_gflops) : Json();
    json.update(ToJson(k.ratio, "ratio"));
    json["error"] = k.error ? Json(*k.error) : Json();
    json["libtorch_error"] = k.libtorch_error ? Json(*k.libtorch_error) : Json();
    list.push_back(json);
  }
  return list;
}

std::string SpeedText(const std::string& title, const std::vector<NamedSpeed>& speeds) {
  constexpr const char* kRow = "{:<24} {:>9} {:>12}  {:>18} {:>10}  {:>16} {:>5}\n";
  std::string text = fmt::format(kRow, title, "batch", "images/s", kRange, "ms", kRange, "n");
  for (const auto& [name, speed] : speeds) {
    text += fmt::format(kRow, name, WithThousands(speed.batch_size), Number(speed.images_per_second.median),
                        Range(speed.images_per_second), Number(speed.batch_ms.median), Range(speed.batch_ms),
                        speed.images_per_second.n);
  }
  return text;
}

Json SpeedJson(const Speed& speed, const std::string& step) {
  Json json = {{"batch_size", speed.batch_size}};
  json.update(ToJson(speed.images_per_second, "images_per_second"));
  json.update(ToJson(speed.batch_ms, step + "_ms"));
  return json;
}

}  // namespace spotter
