// Preloaded into a program, this steps the program's system clock (CLOCK_REALTIME) and leaves its
// other clocks alone, as setting the clock of the machine would.
//
// The file named by CLOCK_SHIM contains the number of nanoseconds to step by, an int64_t. It is
// mapped into memory, so a change takes effect at once. When the program waits in the kernel until
// a date, the date is translated when the wait begins.

#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <ctime>

namespace {

const volatile int64_t* MapStep() {
  static constexpr int64_t kNone = 0;
  const char* const path = std::getenv("CLOCK_SHIM");
  const int fd = path == nullptr ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return &kNone;
  void* const mapped = mmap(nullptr, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  return mapped == MAP_FAILED ? &kNone : static_cast<const int64_t*>(mapped);
}

int64_t Step() {
  static const volatile int64_t* const step = MapStep();
  return *step;
}

constexpr int64_t kSecond = 1'000'000'000;

timespec Add(const timespec& time, int64_t nanoseconds) {
  const int64_t sum = time.tv_sec * kSecond + time.tv_nsec + nanoseconds;
  return {sum / kSecond, sum % kSecond};
}

// Returns the date in the kernel's time.
timespec Real(const timespec& date) {
  const timespec real = Add(date, -Step());
  return real.tv_sec > 0 ? real : timespec{};
}

template <class Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  static auto* const next = Next<int(clockid_t, timespec*)>("clock_gettime");
  const int result = next(clock, time);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) *time = Add(*time, Step());
  return result;
}

int gettimeofday(timeval* time, void*) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  *time = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* result) noexcept {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (result != nullptr) *result = now.tv_sec;
  return now.tv_sec;
}

// Abseil's mutexes, which gRPC's timers wait on, call the kernel through this function.
long syscall(long number, ...) noexcept {
  static auto* const next = Next<long(long, ...)>("syscall");
  va_list list;
  va_start(list, number);
  long arguments[6];
  for (long& argument : arguments) argument = va_arg(list, long);
  va_end(list);
  timespec end{};
  const bool has_date = number == SYS_futex && (arguments[1] & FUTEX_CLOCK_REALTIME) != 0;
  if (has_date && arguments[3] != 0) {
    end = Real(*reinterpret_cast<const timespec*>(arguments[3]));
    arguments[3] = reinterpret_cast<long>(&end);
  }
  return next(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
              arguments[5]);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                           const timespec* end) noexcept(false) {
  static auto* const next =
      Next<int(pthread_cond_t*, pthread_mutex_t*, const timespec*)>("pthread_cond_timedwait");
  const timespec real_end = Real(*end);
  return next(condition, mutex, &real_end);
}

}  // extern "C"
