#pragma once

#include "http/exposition.h"
#include "http/listener.h"
#include "http/pages.h"

namespace content::http {

/// Returns all numbers. A new one is a member of its room, and a line in one of the functions of
/// metrics_page.cc.
Exposition AllNumbers(const Program& program, const Rooms& rooms);

/// Returns those of a process that does not serve.
Exposition AllNumbers(const Program& program);

/// Shows numbers to Prometheus.
Answer Metrics(Exposition numbers);

}  // namespace content::http
