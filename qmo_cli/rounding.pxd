cpdef double to_six(double value) noexcept
cpdef long long nearest(double value) noexcept
