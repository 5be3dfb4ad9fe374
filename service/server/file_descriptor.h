#pragma once

#include <unistd.h>

#include <utility>

namespace content::server {

/// Owns a file descriptor, or none. Move-only.
class FileDescriptor {
 public:
  FileDescriptor() = default;

  /// Takes ownership of `number`; none if it is negative, as the calls that open files return.
  explicit FileDescriptor(int number) : number_(number) {}

  FileDescriptor(FileDescriptor&& other) noexcept : number_(other.Release()) {}

  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    FileDescriptor replaced(std::move(other));
    std::swap(number_, replaced.number_);
    return *this;
  }

  ~FileDescriptor() {
    if (number_ >= 0) close(number_);
  }

  explicit operator bool() const { return number_ >= 0; }

  int number() const { return number_; }

  /// Gives up ownership.
  int Release() { return std::exchange(number_, -1); }

 private:
  int number_ = -1;
};

}  // namespace content::server
