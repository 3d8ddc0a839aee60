/// Whether a transaction takes operations: none once it was prepared, and none behind one that failed half-way.
package struct TransactionGate: Sendable {
    /// Counts what the operations changed, so that one that fails half-way is noticed.
    package private(set) var changeCount = 0
    private let layer: String
    private var isClosed = false
    private var failure: String?

    /// The gate of a transaction that was just begun. `layer` is what errors name: "ext4".
    package init(layer: String) { self.layer = layer }

    /// Takes note of a change.
    package mutating func noteChange() { changeCount &+= 1 }

    /// Takes note that an operation failed behind a change.
    package mutating func fail(_ error: StorageError) { failure = error.message }

    /// Throws when the transaction takes no more operations.
    package func requireOpen() throws(StorageError) {
        guard !isClosed else {
            throw StorageError(
                .misuse, VolumeCode.transactionFinished, "the transaction was prepared; begin another",
                layerName: layer)
        }
        if let failure {
            throw StorageError(
                .misuse, VolumeCode.transactionFailed,
                "an operation failed half-way (\(failure)); begin another",
                layerName: layer)
        }
    }

    /// Takes no further operations. Throws where it took none before.
    package mutating func close() throws(StorageError) {
        try requireOpen()
        isClosed = true
    }
}

/// A transaction whose operations change it piece by piece.
package protocol GatedTransaction: AnyObject {
    /// Whether it takes operations.
    var gate: TransactionGate { get set }
}

extension GatedTransaction {
    /// Runs an operation. One that fails after it changed something leaves a transaction that cannot be committed.
    package func perform<Result>(
        _ operation: () throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        try gate.requireOpen()
        let before = gate.changeCount
        do throws(StorageError) {
            return try operation()
        } catch {
            if gate.changeCount != before { gate.fail(error) }
            throw error
        }
    }
}
