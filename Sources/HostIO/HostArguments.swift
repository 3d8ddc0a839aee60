internal import CLinux
internal import Storage

/// What the process was started with.
public enum HostArguments {
    /// Its arguments as the kernel handed them over, its own name first; in `String.init(hostBytes:)`'s form.
    public static var all: [String] {
        var found: [String] = []
        while let pointer = unsafe clinux_argument(Int32(clamping: found.count)) {
            found.append(unsafe String(hostPath: pointer))
        }
        return found
    }
}
