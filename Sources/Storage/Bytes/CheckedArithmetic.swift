// Arithmetic on numbers that came from an image: nil instead of a trap, so that a `guard` can throw.

infix operator +? : AdditionPrecedence
infix operator -? : AdditionPrecedence
infix operator *? : MultiplicationPrecedence

extension FixedWidthInteger {
    /// The sum, or nil when it overflows.
    @inlinable @inline(__always)
    public static func +? (left: Self, right: Self) -> Self? {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? nil : sum
    }

    /// The difference, or nil when it overflows.
    @inlinable @inline(__always)
    public static func -? (left: Self, right: Self) -> Self? {
        let (difference, overflow) = left.subtractingReportingOverflow(right)
        return overflow ? nil : difference
    }

    /// The product, or nil when it overflows.
    @inlinable @inline(__always)
    public static func *? (left: Self, right: Self) -> Self? {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow ? nil : product
    }

    /// The smallest multiple of `unit` not below self, or nil when it overflows or `unit` is not positive.
    @inlinable
    public func roundedUp(to unit: Self) -> Self? {
        guard unit > 0 else { return nil }
        let rest = self % unit
        return rest == 0 ? self : self +? (unit - rest)
    }

    /// The quotient rounded up; `divisor` must be positive, self not negative.
    @inlinable
    public func dividedRoundingUp(by divisor: Self) -> Self {
        let (quotient, rest) = self.quotientAndRemainder(dividingBy: divisor)
        return rest == 0 ? quotient : quotient + 1
    }
}
