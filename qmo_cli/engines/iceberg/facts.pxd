cpdef list facts_of(object inputs)


cdef list merged(list first, list second)


cdef list refills_of(object orders)


cpdef list adds_of(list links)
