// SPDX-License-Identifier: Apache-2.0
#include "report/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "base/text.h"
#include "report/tables.h"

namespace spotter {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kTerminalPace = std::chrono::milliseconds(100);
constexpr auto kPlainPace = std::chrono::seconds(10);

bool OnTerminal() { return ::isatty(STDERR_FILENO) == 1; }

size_t TerminalWidth() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void Print(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

/// Writes over the line under the cursor, cut to the terminal's width.
void Renew(const std::string& line) { Print("\r\x1b[K" + line.substr(0, TerminalWidth() - 1)); }
void Clear() { Print("\r\x1b[K"); }

std::string EpochName(int64_t epoch, int64_t epochs) {
  const std::string last = std::to_string(epochs);
  return fmt::format("epoch {:>{}}/{}", epoch, last.size(), last);
}

/// `validation`: of the epoch before, or "". What doesn't fit into `width` columns is left out, the least needed first.
std::string StepText(const StepReport& r, const std::string& validation, size_t width) {
  std::vector<std::string> parts = {
      EpochName(r.epoch, r.epochs) + fmt::format("  step {}/{}", r.step, r.steps),
      fmt::format("  loss {:.4f}", r.loss),
      "  accuracy " + Percent(r.accuracy),
      validation,
      fmt::format("  {} images/s", WithThousands(static_cast<int64_t>(r.images_per_second))),
      fmt::format("  waiting for data {:.0f} %", 100 * r.data_wait_fraction),
      "  " + HumanSeconds(r.seconds_left) + " left"};
  for (const size_t least : {5, 4, 3, 1, 2}) {
    size_t columns = 0;
    for (const std::string& part : parts) columns += part.size();
    if (columns <= width) break;
    parts[least].clear();
  }
  return Join(parts, "");
}

std::string EpochText(const EpochRecord& r, int64_t epochs, bool best) {
  const double left = static_cast<double>(epochs - r.epoch) * r.seconds;
  std::string text = fmt::format("{}  loss {:.4f}  accuracy {:>7}", EpochName(r.epoch, epochs), r.train_loss,
                                 Percent(r.train_accuracy));
  if (r.validation_loss)
    text += fmt::format("  validation loss {:.4f}  accuracy {:>7}{}", *r.validation_loss,
                        Percent(*r.validation_accuracy), best ? " *" : "  ");
  return text + fmt::format("  rate {:.2g}  {} images/s  data {:.0f} %  {}{}", r.learning_rate,
                            WithThousands(static_cast<int64_t>(r.images_per_second)), 100 * r.data_wait_fraction,
                            HumanSeconds(r.seconds), left > 0 ? ", " + HumanSeconds(left) + " left" : "");
}

class TextProgress : public TrainObserver {
 public:
  ~TextProgress() override { Finish(); }
  void OnStep(const StepReport& report) override {
    epochs_ = report.epochs;
    const auto now = Clock::now();
    if (now - last_ < (terminal_ ? Clock::duration(kTerminalPace) : Clock::duration(kPlainPace))) return;
    last_ = now;
    if (terminal_) {
      Renew(StepText(report, validation_, TerminalWidth() - 1));
      renewed_ = true;
    } else {
      Print(StepText(report, validation_, std::string::npos) + "\n");
    }
  }
  void OnEpoch(const TrainState& state, bool best) override {
    const EpochRecord& record = state.history.back();
    if (record.validation_accuracy) validation_ = "  validation " + Percent(*record.validation_accuracy);
    Finish();
    Print(EpochText(record, epochs_, best) + "\n");
    last_ = Clock::now();
  }
  void OnNote(const std::string& text) override {
    Finish();
    Print("note: " + text + "\n");
  }

 private:
  /// Removes the line that is renewed, so that what comes next begins at the margin.
  void Finish() {
    if (renewed_) Clear();
    renewed_ = false;
  }

  bool terminal_ = OnTerminal();
  bool renewed_ = false;
  int64_t epochs_ = 0;
  std::string validation_;
  Clock::time_point last_ = Clock::now();
};

class JsonProgress : public TrainObserver {
 public:
  void OnStep(const StepReport& r) override {
    const auto now = Clock::now();
    if (now - last_ < std::chrono::seconds(1)) return;
    last_ = now;
    Line({{"event", "step"},
          {"epoch", r.epoch},
          {"epochs", r.epochs},
          {"step", r.step},
          {"steps", r.steps},
          {"loss", r.loss},
          {"accuracy", r.accuracy},
          {"images_per_second", r.images_per_second},
          {"data_wait_fraction", r.data_wait_fraction},
          {"seconds_left", r.seconds_left}});
  }
  void OnEpoch(const TrainState& state, bool best) override {
    Json line = {{"event", "epoch"}, {"best", best}};
    line.update(ToJson(state.history.back()));
    Line(line);
  }
  void OnNote(const std::string& text) override { Line({{"event", "note"}, {"text", text}}); }

 private:
  static void Line(const Json& json) {
    std::puts(DumpJson(json).c_str());
    std::fflush(stdout);
  }
  Clock::time_point last_ = Clock::now();
};

class QuietProgress : public TrainObserver {
 public:
  void OnNote(const std::string& text) override { Print("note: " + text + "\n"); }
};

}  // namespace

std::unique_ptr<TrainObserver> MakeProgress(ProgressStyle style) {
  if (style == ProgressStyle::kJson) return std::make_unique<JsonProgress>();
  if (style == ProgressStyle::kQuiet) return std::make_unique<QuietProgress>();
  return std::make_unique<TextProgress>();
}

std::string ProgressText(const StepReport& report) { return StepText(report, "", std::string::npos); }

ActivityLine::ActivityLine(bool quiet) : quiet_(quiet), begin_(Clock::now()), last_(begin_) {}

ActivityLine::~ActivityLine() {
  if (shown_ && OnTerminal()) Clear();
}

void ActivityLine::Update(const std::string& what, int64_t done, int64_t total) {
  const auto now = Clock::now();
  const bool terminal = OnTerminal();
  const auto pace = terminal ? Clock::duration(kTerminalPace) : Clock::duration(kPlainPace);
  const auto silence = terminal ? Clock::duration(std::chrono::seconds(1)) : pace;  // short work needs no line in a log
  if (quiet_ || now - begin_ < silence || (shown_ && now - last_ < pace)) return;
  last_ = now;
  shown_ = true;
  std::string line = what;
  if (total > 0)
    line += fmt::format("  {} of {} ({:.0f} %)", WithThousands(done), WithThousands(total),
                        100.0 * static_cast<double>(done) / static_cast<double>(total));
  else if (done > 0)
    line += "  " + WithThousands(done);
  if (terminal)
    Renew(line);
  else
    Print(line + "\n");
}

}  // namespace spotter
