// SPDX-License-Identifier: Apache-2.0
// The parts of a run's page, in the order in which they stand there. Each appends a <section>, or nothing when the run
// has nothing for it yet.
#pragma once

#include "page/html.h"
#include "page/report_input.h"

namespace spotter {

void AddSummary(Node main, const ReportInput& input);    // the accuracy, what it means, what to try
void AddCurves(Node main, const ReportInput& input);     // loss, accuracy, learning rate, images/s by epoch
void AddClasses(Node main, const ReportInput& input);    // precision, recall, F1, support
void AddConfusion(Node main, const ReportInput& input);  // filled by the script from the page's data
void AddExamples(Node main, const ReportInput& input);   // likewise
void AddTrust(Node main, const ReportInput& input);      // reliability diagram, accuracy by coverage
void AddFacts(Node main, const ReportInput& input);      // data, network, recipe, host, time

/// <section id="..."><h2>title</h2>
Node AddSection(Node main, const char* id, const char* title);

}  // namespace spotter
