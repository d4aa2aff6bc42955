// SPDX-License-Identifier: Apache-2.0
#include "commands/run_program.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "base/text.h"
#include "base/version.h"
#include "commands/command.h"

namespace spotter {
namespace {

constexpr const char* kOutOfMemory = "out of memory; try smaller images (--image-size) or a smaller --batch-size";

int Complain(ExitCode code, const std::string& message) {
  std::fprintf(stderr, "error: %s\n", Printable(message).c_str());
  return static_cast<int>(code);
}

std::string Upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// What could have stood where an unknown word stands: verbs and flags.
std::vector<std::string> KnownWords(const CLI::App& command) {
  std::vector<std::string> known;
  for (const CLI::App* verb : command.get_subcommands({})) known.push_back(verb->get_name());
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) known.push_back(option->get_name());
  }
  return known;
}

/// CLI11's errors in our words, with the closest verb or flag, and the help that lists what is allowed.
std::string UsageMessage(const CLI::ParseError& error, const CLI::App& app) {
  std::string verb;
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    verb += " " + command->get_name();
  }
  std::string message = error.what();
  while (message.ends_with('\n') || message.ends_with('.')) message.pop_back();
  const bool needs_verb = !command->get_subcommands({}).empty();
  const auto words = app.remaining(true);
  const bool missing = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr || (missing && needs_verb && !words.empty())) {
    const std::string word = words.empty() ? "" : words.front();
    const bool verb_expected = needs_verb && !word.starts_with('-');
    message = "'" + word + "' is not " + (verb_expected ? "a command" : "known to spotter" + verb) +
              DidYouMean(word, KnownWords(*command));
  } else if (missing && needs_verb) {
    message = "a command is missing";
  } else if (missing) {
    message = Upper(message.substr(0, message.find(' '))) + " is missing";
  } else if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    const bool twice = message.find("At Most") != std::string::npos;
    message = message.substr(0, message.find(':')) + (twice ? " can be given only once" : " needs a value");
  }
  return message + "; `spotter" + verb + " --help` shows how";
}

/// What was printed must have arrived: a full disk behind `> file` is no success.
int Finish(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  return Complain(ExitCode::kIo, fmt::format("can't write to standard output: {}", std::strerror(errno)));
}

int Run(CLI::App& app, int argc, char** argv) {
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string("spotter ") + kVersion + " (" + kCommit + ", " + kBuildType + ")");
  std::vector<std::pair<CLI::App*, std::function<int()>>> bodies;
  for (const Command& command : AllCommands()) {
    CLI::App* part = app.add_subcommand(command.name, command.help);
    part->footer("Examples:\n" + command.examples);
    bodies.emplace_back(part, command.declare(*part));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {  // --help and --version
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    if (argc < 2) {
      std::fputs(app.help().c_str(), stderr);
      return static_cast<int>(ExitCode::kUsage);
    }
    return Complain(ExitCode::kUsage, UsageMessage(error, app));
  }
  for (const auto& [part, body] : bodies) {
    if (part->parsed()) return Finish(body());
  }
  return static_cast<int>(ExitCode::kUsage);
}

}  // namespace

int RunProgram(int argc, char** argv) {
  CLI::App app("Train, evaluate and use image classifiers.", "spotter");
  app.footer(
      "Start with:\n  spotter train cifar10\n  spotter train path/to/folder-of-class-folders\n`spotter "
      "COMMAND --help` explains a command.\n\n"
      "Environment:\n  SPOTTER_DATA    a folder with data sets, looked into before anything is downloaded\n"
      "  SPOTTER_CACHE   where downloads and decoded images are kept; ~/.cache/spotter unless set");
  try {
    return Run(app, argc, argv);
  } catch (const Error& error) {
    return Complain(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return Complain(ExitCode::kInternal, kOutOfMemory);
  } catch (const std::exception& error) {
    if (std::string_view(error.what()).find("DefaultCPUAllocator") != std::string_view::npos)
      return Complain(ExitCode::kInternal, kOutOfMemory);
    // What libraries put behind a line break (stack traces) helps nobody here.
    const std::string what = error.what();
    return Complain(ExitCode::kInternal, "unexpected: " + what.substr(0, what.find('\n')));
  }
}

}  // namespace spotter
