// SPDX-License-Identifier: Apache-2.0
// A verb of the program. One file a command: declare its flags, parse, one call into the library, print.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace spotter {

struct Command {
  std::string name;
  std::string help;      // one line
  std::string examples;  // below the help, one a line
  /// Declares the flags on its part of the command line and returns what runs it; that returns the exit code.
  std::function<std::function<int()>(CLI::App&)> declare;
};

/// The table of all commands, in the order of the help (all_commands.cc).
const std::vector<Command>& AllCommands();

Command TrainCommand();
Command EvaluateCommand();
Command PredictCommand();
Command ExplainCommand();
Command ServeCommand();
Command ReportCommand();
Command DataCommand();
Command ModelsCommand();
Command RecipesCommand();
Command ExportCommand();
Command BenchCommand();

}  // namespace spotter
