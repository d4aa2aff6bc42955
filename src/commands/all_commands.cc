// SPDX-License-Identifier: Apache-2.0
#include "commands/command.h"

namespace spotter {

const std::vector<Command>& AllCommands() {
  static const std::vector<Command> commands = {TrainCommand(),  EvaluateCommand(), PredictCommand(), ExplainCommand(),
                                                ServeCommand(),  ExportCommand(),   ReportCommand(),  DataCommand(),
                                                ModelsCommand(), RecipesCommand(),  BenchCommand()};
  return commands;
}

}  // namespace spotter
