internal import CLinux
internal import Glibc

/// The kernel's random numbers, for identifiers.
public enum SystemRandom {
    /// `count` random bytes.
    public static func bytes(_ count: Int) throws(StorageError) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        let status = unsafe result.withUnsafeMutableBytes { unsafe clinux_random($0.baseAddress, $0.count) }
        guard status == 0 else {
            throw StorageError.io("random numbers", operation: "getrandom", errno: errno)
        }
        return result
    }
}
