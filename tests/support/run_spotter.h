// SPDX-License-Identifier: Apache-2.0
// Runs the real program as a user would: arguments, standard input, environment and folder in; exit code,
// output and memory out. SPOTTER_BINARY names it.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace spotter {

struct Outcome {
  int code = -1;   // the exit code; -1 when a signal ended it
  int signal = 0;  // the signal that ended it
  bool timed_out = false;
  std::string out;
  std::string err;
  int64_t peak_kilobytes = 0;
  double seconds = 0;
};

struct Surroundings {
  std::filesystem::path folder = ".";
  std::map<std::string, std::string> environment;  // beside the test's own; an empty value removes the variable
  std::string input;
  double timeout_seconds = 60;
};

/// A file without a name, so that a test never waits on a full pipe.
class NamelessFile {
 public:
  explicit NamelessFile(std::string_view content = {}) : fd_(::memfd_create("spotter-test", MFD_CLOEXEC)) {
    if (fd_ < 0) throw std::runtime_error("memfd_create failed");
    if (::write(fd_, content.data(), content.size()) < 0) throw std::runtime_error("can't write to a memfd");
    ::lseek(fd_, 0, SEEK_SET);
  }
  ~NamelessFile() { ::close(fd_); }
  NamelessFile(const NamelessFile&) = delete;
  NamelessFile& operator=(const NamelessFile&) = delete;
  int fd() const { return fd_; }
  std::string Content() const {
    struct stat info {};
    ::fstat(fd_, &info);
    std::string text(static_cast<size_t>(info.st_size), '\0');
    const ssize_t n = ::pread(fd_, text.data(), text.size(), 0);
    text.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return text;
  }

 private:
  int fd_;
};

/// A started program. Wait() ends it; so does the destructor, by force.
class Process {
 public:
  Process(const std::vector<std::string>& command, const Surroundings& surroundings)
      : input_(surroundings.input), timeout_(surroundings.timeout_seconds) {
    // All that allocates happens before the fork.
    std::map<std::string, std::string> variables;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string text = *entry;
      variables[text.substr(0, text.find('='))] = text.substr(text.find('=') + 1);
    }
    for (const auto& [name, value] : surroundings.environment) variables[name] = value;
    std::vector<std::string> texts;
    for (const auto& [name, value] : variables) {
      if (!value.empty()) texts.push_back(name + "=" + value);
    }
    std::vector<std::string> words = command;
    const std::vector<char*> argv = Pointers(words);
    const std::vector<char*> envp = Pointers(texts);
    const std::string folder = surroundings.folder.string();
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that is killed leaves nothing running
    const bool ready = ::getppid() == parent && ::chdir(folder.c_str()) == 0 && ::dup2(input_.fd(), 0) == 0 &&
                       ::dup2(out_.fd(), 1) == 1 && ::dup2(err_.fd(), 2) == 2;
    if (ready) ::execve(argv[0], argv.data(), envp.data());
    ::_exit(126);
  }
  ~Process() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Signal(int signal) const {
    if (pid_ > 0) ::kill(pid_, signal);
  }
  /// Whether it still runs; its outcome is kept when it has ended.
  bool Running() {
    if (pid_ <= 0) return false;
    int status = 0;
    struct rusage usage {};
    if (::wait4(pid_, &status, WNOHANG, &usage) == 0) return true;
    pid_ = -1;
    outcome_.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    outcome_.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    outcome_.peak_kilobytes = usage.ru_maxrss;
    outcome_.out = out_.Content();
    outcome_.err = err_.Content();
    outcome_.seconds = Seconds();
    return false;
  }
  Outcome Wait() {
    while (Running()) {
      if (Seconds() > timeout_ && !outcome_.timed_out) {
        outcome_.timed_out = true;
        Signal(SIGKILL);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return outcome_;
  }
  double Seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

 private:
  static std::vector<char*> Pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  NamelessFile input_;
  NamelessFile out_;
  NamelessFile err_;
  double timeout_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  pid_t pid_ = -1;
  Outcome outcome_;
};

inline Outcome RunCommand(const std::vector<std::string>& command, const Surroundings& surroundings = {}) {
  return Process(command, surroundings).Wait();
}

}  // namespace spotter
