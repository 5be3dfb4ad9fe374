#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace content::testing {

/// Waits until `holds()` returns true. Fails the test if that takes two minutes.
template <class Predicate>
void AwaitThat(Predicate holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (!holds()) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "waited in vain";
    std::this_thread::yield();
  }
}

}  // namespace content::testing
