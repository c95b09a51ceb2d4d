"""SageMaker's control plane: what each operation keeps, answers and refuses."""
