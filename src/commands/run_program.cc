// SPDX-License-Identifier: Apache-2.0
#include "commands/run_program.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/error.h"
#include "base/text.h"
#include "base/version.h"
#include "commands/command.h"

namespace spotter {
namespace {

int Complain(ExitCode code, std::string message) {
  // One line: what libraries put behind a line break (stack traces) helps nobody here.
  message = message.substr(0, message.find('\n'));
  std::fprintf(stderr, "error: %s\n", Printable(message).c_str());
  return static_cast<int>(code);
}

/// CLI11's message, with the closest verb or the help that lists what is allowed.
std::string UsageMessage(const CLI::ParseError& error, const CLI::App& app) {
  std::string verb;
  for (const CLI::App* command : app.get_subcommands()) verb = " " + command->get_name();
  std::string message = error.what();
  while (message.ends_with('\n') || message.ends_with('.')) message.pop_back();
  if (const auto* extras = dynamic_cast<const CLI::ExtrasError*>(&error); extras != nullptr) {
    const auto words = app.remaining(true);
    const std::string word = words.empty() ? "" : words.front();
    std::vector<std::string> known;
    if (app.get_subcommands().empty()) {
      for (const Command& command : AllCommands()) known.push_back(command.name);
    } else {
      for (const CLI::Option* option : app.get_subcommands().front()->get_options()) known.push_back(option->get_name());
    }
    message = "'" + word + "' is not " + (app.get_subcommands().empty() ? "a command" : "known to spotter" + verb) + DidYouMean(word, known);
  }
  return message + "; `spotter" + verb + " --help` shows how";
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
    if (part->parsed()) return body();
  }
  return static_cast<int>(ExitCode::kUsage);
}

}  // namespace

int RunProgram(int argc, char** argv) {
  CLI::App app("Train, evaluate and use image classifiers.");
  app.footer("Start with:\n  spotter train cifar10\n  spotter train path/to/folder-of-class-folders\n`spotter COMMAND --help` explains a command.");
  try {
    return Run(app, argc, argv);
  } catch (const Error& error) {
    return Complain(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return Complain(ExitCode::kInternal, "out of memory; try smaller images (--image-size) or a smaller --batch-size");
  } catch (const std::exception& error) {
    return Complain(ExitCode::kInternal, std::string("unexpected: ") + error.what());
  }
}

}  // namespace spotter
