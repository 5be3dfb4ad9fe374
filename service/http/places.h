#pragma once

#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace content::http {

/// Places for connections. There is always one for a newcomer: if all are taken, the peer that has
/// the most loses its oldest connection. So nobody shuts others out, however many connections it
/// keeps busy. Thread-safe.
class Places {
 public:
  explicit Places(size_t count) : free_(count) {}

  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  /// Takes a place. If none is free, ends a connection and waits until its place is given back.
  void Take();

  /// Gives back a place whose connection never began.
  void GiveBack();

  /// A connection in a place that was taken begins. `peer`: its address without the port.
  void Begin(int socket, std::string peer);

  /// The connection has ended, or is to be closed now. Gives back its place.
  void End(int socket);

 private:
  struct Connection {
    int socket;
    std::string peer;
  };

  // Requires mutex_.
  void EndOne();

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  size_t free_;
  size_t waiting_ = 0;  // places that were taken by connections that have not begun
  std::map<size_t, Connection> connections_;  // by number, in the order in which they began
  size_t next_ = 0;                           // number
  int ending_ =
      -1;  // the socket of the connection that was ended and has its place still; -1: none
};

}  // namespace content::http
