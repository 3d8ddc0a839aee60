internal import Synchronization

/// What a file system knows of itself beside its bytes: how many changes were committed, whether one is under way, and
/// what was odd. Safe from many threads.
package final class VolumeState: Sendable {
    private struct State {
        var warnings: [String] = []
        var generation: UInt64 = 0
        var isCommitting = false
    }

    /// More warnings than this would say nothing new.
    private static let maximumWarningCount = 100

    private let layer: String
    private let state = Mutex(State())

    /// The state of a volume that was just opened. `layer` is what errors name: "ext4".
    package init(layer: String) { self.layer = layer }

    // MARK: Warnings

    /// What was odd and did not stop reading, in the order in which it was found.
    package var warnings: [String] { state.withLock { $0.warnings } }

    /// Takes note of something odd, once, up to a limit.
    package func warn(_ text: String) {
        state.withLock { state in
            guard state.warnings.count < Self.maximumWarningCount, !state.warnings.contains(text) else {
                return
            }
            state.warnings.append(text)
        }
    }

    // MARK: Changes

    /// How many changes were committed or begun to be.
    package var generation: UInt64 { state.withLock { $0.generation } }

    /// A commit was begun and not ended: it is under way, or it failed.
    package var isCommitting: Bool { state.withLock { $0.isCommitting } }

    /// The device as one that a change may be written to. Throws `misuse` where it was opened for reading, or an earlier
    /// change was not written whole.
    package func target(on device: any BlockDevice) throws(StorageError) -> any WritableBlockDevice {
        let target: any WritableBlockDevice
        do throws(StorageError) {
            target = try device.writable()
        } catch {
            // What was opened for reading is said of the volume; other reasons are the device's to tell.
            guard error.kind == .misuse else { throw error }
            throw StorageError(
                .misuse, VolumeCode.readOnlyDevice, "the volume was opened for reading only",
                layerName: layer)
        }
        guard !isCommitting else {
            throw StorageError(
                .misuse, VolumeCode.commitFailed,
                "an earlier change was not written whole; open the volume again", layerName: layer)
        }
        return target
    }

    /// Takes note that the device is about to be written. Throws `misuse` when the change was made for another state than
    /// that of `generation`.
    package func beginCommit(of generation: UInt64) throws(StorageError) {
        let isCurrent = state.withLock { state in
            guard state.generation == generation, !state.isCommitting else { return false }
            state.generation += 1
            state.isCommitting = true
            return true
        }
        guard isCurrent else {
            throw StorageError(
                .misuse, VolumeCode.transactionStale,
                "the volume was changed since the transaction began; begin another", layerName: layer)
        }
    }

    /// Takes note that the change was written whole.
    package func endCommit() { state.withLock { $0.isCommitting = false } }
}
