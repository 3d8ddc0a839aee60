import DiskGraft
import Glibc

/// What the process was started with.
enum Host {
    /// A variable of the environment; nil where it is not set, or empty.
    static func environment(_ name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        let text = unsafe String(hostPath: value)
        return text.isEmpty ? nil : text
    }
}
